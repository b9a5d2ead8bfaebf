/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight zero-copy frames: frames that a device sends straight from guest memory. Tracks which
 * buffers of a ring are still read and which may be returned to the guest.
 *
 * Buffers are returned in the order in which they were popped, since a front end that reconnects
 * after a crash resumes at the used index. Buffers therefore wait for an in-flight frame before
 * them. The wait is bounded: an in-flight frame that delays more than `wait_max` buffers is late.
 * The buffers after it are returned first, and its own follows once the device has read it. While
 * any frame is late, no further one is taken in flight. A stuck device thus costs the guest the few
 * buffers that it is reading, and delays no other frames.
 *
 * Thread safety: a struct inflight belongs to the polling lcore that pops its ring, and to the
 * thread that ends the ring once lcores are quiescent. Any thread may free the last mbuf of an
 * in-flight frame.
 */
#ifndef SHUNT_FRAME_INFLIGHT_H
#define SHUNT_FRAME_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum {
	INFLIGHT_LEN_MIN = 512,   /**< bytes; a shorter frame is cheaper to copy */
	INFLIGHT_PIECES_MAX = 7,  /**< pieces per frame: some NICs take 8 descriptors a frame */
	INFLIGHT_SHARE_SLOTS = 4, /**< 1 of this many buffers of a ring may be in flight */
	INFLIGHT_SHARE_WAIT = 2,  /**< 1 of this many may wait for an in-flight one */
};

/** An in-flight frame. The data shared by its mbufs is here, where no guest can write. */
struct inflight_slot {
	struct rte_mbuf_ext_shared_info shared;
	/* The frame is in flight: set by the polling lcore, cleared by inflight_release(). */
	atomic_bool in_use;
};

/** A buffer that has not been returned. */
struct inflight_entry {
	uint16_t token; /**< identifies the buffer to its ring: head descriptor */
	uint16_t slot;  /**< INFLIGHT_NO_SLOT = not in flight */
};

enum { INFLIGHT_NO_SLOT = UINT16_MAX };

/** The in-flight state of one ring. */
struct inflight {
	/* Constant. */
	uint16_t mask;
	uint16_t slots;
	uint16_t wait_max;             /**< buffers that may wait for an in-flight one */
	const atomic_bool *dma_mapped; /**< dma_map_memory.mapped; NULL = never; set before use */
	struct inflight_slot *slot;
	struct inflight_entry *entry; /**< ring of mask + 1 entries, in the order popped */
	struct inflight_entry *late;  /**< unordered, up to `slots` */
	uint16_t *free_slot;          /**< stack of free slots */

	/* Accessed by the owner only. */
	uint16_t first; /**< position of the oldest buffer not returned */
	uint16_t next;  /**< position of the next buffer to append */
	uint16_t n_late;
	uint16_t n_free;
	uint32_t burst_mask;  /**< frames of the current burst in flight, a bit each by index */
	uint16_t slot_of[32]; /**< their slots, by index in the burst */
};

/**
 * Create the in-flight state of a ring. Not for polling lcores.
 *
 * @param size descriptors of the ring, a power of 2 up to 32768
 * @return NULL if size is below INFLIGHT_SHARE_SLOTS or there is no memory
 */
struct inflight *inflight_create(uint32_t size);

/** Free the state; only while inflight_in_use() is false. NULL is ignored. */
void inflight_destroy(struct inflight *inflight);

/**
 * Check whether a frame can be taken in flight. Polling lcore.
 *
 * @param index of the frame in its burst, below FRAME_BURST
 * @return true if inflight_take() may be called
 */
static inline bool
inflight_can_take(const struct inflight *inflight, uint32_t index)
{
	return inflight->n_free > 0 && inflight->n_late == 0 &&
	       (inflight->burst_mask >> index & 1) == 0;
}

/** @return true if the guest memory is mapped for DMA. Polling lcore. */
static inline bool
inflight_is_mapped(const struct inflight *inflight)
{
	return inflight->dma_mapped != NULL &&
	       atomic_load_explicit(inflight->dma_mapped, memory_order_relaxed);
}

/**
 * Take a frame of the current burst in flight; requires inflight_can_take(). Polling lcore.
 *
 * @param index of the frame in its burst, below FRAME_BURST
 * @return slot for inflight_shared_info() or tx_completion_add(), which release it
 */
struct inflight_slot *inflight_take(struct inflight *inflight, uint32_t index);

/**
 * Get the shared info for the mbufs of a frame, which releases the slot when the last of them is
 * freed. Polling lcore.
 *
 * @param pieces number of mbufs that the caller will attach with the returned shared info
 * @return shared info for rte_pktmbuf_attach_extbuf()
 */
struct rte_mbuf_ext_shared_info *inflight_shared_info(struct inflight_slot *slot, uint16_t pieces);

/** Mark a frame as no longer in flight. Any thread, which must not use the slot afterwards. */
static inline void
inflight_release(struct inflight_slot *slot)
{
	/* Release: pairs with the acquire of the thread that returns the buffer. */
	atomic_store_explicit(&slot->in_use, false, memory_order_release);
}

/**
 * Append a buffer to those not returned. At the end of a burst, for all its buffers, in the order
 * popped. Polling lcore.
 *
 * @param index of the frame in its burst
 * @param token returned by inflight_reclaim()
 */
void inflight_append(struct inflight *inflight, uint32_t index, uint16_t token);

/**
 * Take the buffers that may be returned to the guest now. Owner.
 *
 * @param tokens receives up to n, in the order to return them
 * @param n space in `tokens`, at least 1
 * @return number of tokens; n if there may be more
 */
uint16_t inflight_reclaim(struct inflight *inflight, uint16_t tokens[], uint16_t n);

/** @return true if no buffer is tracked: those of a burst may be returned at once. Owner. */
static inline bool
inflight_is_empty(const struct inflight *inflight)
{
	return inflight->first == inflight->next && inflight->n_late == 0 &&
	       inflight->burst_mask == 0;
}

/**
 * At the end of a ring, take late buffers that are still read. They must be returned, since
 * buffers after them have been returned already. If the guest reuses one before the device has
 * read it, the device sends its new contents, which are the guest's own memory in any case. Owner.
 *
 * @param tokens receives up to n
 * @param n space in `tokens`, at least 1
 * @return number of tokens; n if there may be more
 */
uint16_t inflight_drop_late(struct inflight *inflight, uint16_t tokens[], uint16_t n);

/** Drop the entries of buffers not returned, the last ones popped. @return their number. Owner. */
uint16_t inflight_drop_entries(struct inflight *inflight);

/** @return true if a frame is still in flight. Any thread, once no lcore takes further ones. */
bool inflight_in_use(const struct inflight *inflight);

#endif
