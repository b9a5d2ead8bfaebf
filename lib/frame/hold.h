/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a guest that a device sends straight from the guest's memory: which of a ring's buffers
 * are still read, and which may go back.
 *
 * Buffers go back in the order they came, as rings want them (a front end that connects anew after
 * a crash goes on from the used index), so what comes after a held frame waits for it. Not for ever:
 * a held frame that keeps too many waiting is late; the others go back without it, and it follows
 * whenever it is done. While any is late, no further frame is held: a device that is stuck costs a
 * guest the few buffers it has, and nobody else's frames anything.
 *
 * Thread safety: a hold belongs to the polling lcore that pops its ring, and to whoever ends the
 * ring once lcores are quiescent. The last mbuf of a held frame may be freed by any thread.
 */
#ifndef SHUNT_FRAME_HOLD_H
#define SHUNT_FRAME_HOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum {
	HOLD_LEN_MIN = 512,   /**< bytes of a frame below which a copy is cheaper */
	HOLD_PIECES_MAX = 7,  /**< pieces of guest memory: some NICs take 8 descriptors a frame */
	HOLD_SHARE_SLOTS = 4, /**< one buffer of so many may be held at once */
	HOLD_SHARE_WAIT = 2,  /**< and one of so many may wait behind a held one */
};

/** A held frame. What mbufs share of it is here, where no guest can write. */
struct hold_slot {
	struct rte_mbuf_ext_shared_info shared;
	/* Set by the lcore that hands the frame out, cleared by whoever frees its last mbuf. */
	atomic_bool out;
};

/** A buffer that has not gone back. */
struct hold_entry {
	uint16_t token; /**< what the ring knows it by */
	uint16_t slot;  /**< HOLD_NO_SLOT = nobody holds it */
};

enum { HOLD_NO_SLOT = UINT16_MAX };

struct hold {
	/* Constant. */
	uint16_t mask;
	uint16_t slots;
	uint16_t patience;          /**< buffers that may wait for a held one */
	const atomic_bool *reached; /**< by devices' own DMA; NULL = never. Set before its use */
	struct hold_slot *slot;
	struct hold_entry *entry; /**< in the order they came, a ring of mask + 1 */
	struct hold_entry *late;  /**< in no order, up to `slots` */
	uint16_t *idle;           /**< slots in no use, a stack */

	/* The owner's alone. */
	uint16_t first; /**< position of the oldest buffer that has not gone back */
	uint16_t next;  /**< position of the next one to come */
	uint16_t n_late;
	uint16_t n_idle;
	uint32_t taken;       /**< frames of this burst that are held, by place */
	uint16_t slot_of[32]; /**< and their slots */
};

/**
 * For a ring of so many buffers.
 *
 * @param size a power of 2 up to 32768
 * @return NULL when there is no memory
 */
struct hold *hold_create(uint32_t size);

/** Only when hold_is_read() says no. NULL is fine. */
void hold_destroy(struct hold *hold);

/** May another frame be held, and is this one not held yet? */
static inline bool
hold_can_take(const struct hold *hold, uint32_t place)
{
	return hold->n_idle > 0 && hold->n_late == 0 && (hold->taken >> place & 1) == 0;
}

/** Can devices read it by their own DMA? Polling lcore. */
static inline bool
hold_is_reached(const struct hold *hold)
{
	return hold->reached != NULL && atomic_load_explicit(hold->reached, memory_order_relaxed);
}

/**
 * Hold a frame of the current burst, when hold_can_take() says so. Polling lcore.
 *
 * @return what to hand to hold_share() or loan_give(); held until hold_release()
 */
struct hold_slot *hold_take(struct hold *hold, uint32_t place);

/**
 * Have mbufs end the hold. Polling lcore.
 *
 * @param pieces mbufs that will be attached to what is returned; the frame is held until the last
 *        of them is freed
 */
struct rte_mbuf_ext_shared_info *hold_share(struct hold_slot *slot, uint16_t pieces);

/** Nobody reads the frame any more. Any thread; the slot is not to be touched afterwards. */
static inline void
hold_release(struct hold_slot *slot)
{
	/* Release: pairs with the acquire of whoever gives the buffer back. */
	atomic_store_explicit(&slot->out, false, memory_order_release);
}

/** The burst is over: a buffer of it, in the order they came. Polling lcore. */
void hold_enter(struct hold *hold, uint32_t place, uint16_t token);

/**
 * Which buffers may go back now, in that order.
 *
 * @param tokens receives up to n
 * @return how many; n when there may be more
 */
uint16_t hold_collect(struct hold *hold, uint16_t tokens[], uint16_t n);

/** Is there nothing to keep track of? Then a burst's buffers may go back at once. */
static inline bool
hold_is_empty(const struct hold *hold)
{
	return hold->first == hold->next && hold->n_late == 0 && hold->taken == 0;
}

/**
 * The ring ends, held frames or not: which late buffers to give back all the same, for others after
 * them have gone back already. Should the guest use them again before the device is through, it
 * sends what is in them then; the memory is the guest's own in any case.
 *
 * @param tokens receives up to n
 * @return how many; n when there may be more
 */
uint16_t hold_give_up(struct hold *hold, uint16_t tokens[], uint16_t n);

/** How many buffers, the last ones taken from the ring, have not gone back; forgets them. */
uint16_t hold_rewind(struct hold *hold);

/** Does anybody still read from a held frame? Any thread, once no lcore holds more. */
bool hold_is_read(const struct hold *hold);

#endif
