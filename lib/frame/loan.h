/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Held frames lent to a device that reads them by DMA. Such drivers free an mbuf when its place in
 * their ring is needed again, which may be never; the guest wants its buffer back as soon as it has
 * been read. So what the mbufs share is a loan, which outlives the hold: it ends when the device's
 * descriptors say that it is through, and is free for the next frame when the driver has freed the
 * mbufs, whichever comes first.
 *
 * Where a frame is in the driver's ring only the driver knows; a frame of n segments takes n
 * descriptors at least. Counting segments sent since therefore points at the frame's last
 * descriptor or at a later one, and devices are through in order: what is done there is done here.
 *
 * Thread safety: loans belong to the one lcore that gives them. loans_mark() and loans_end() are
 * called under the lock of the transmit queue, by any thread. The last mbuf of a loan may be freed
 * by any thread.
 */
#ifndef SHUNT_FRAME_LOAN_H
#define SHUNT_FRAME_LOAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

struct hold_slot;

struct loan {
	struct rte_mbuf_ext_shared_info shared;
	/* Set by loan_give(); taken away by whoever ends the hold first. */
	struct hold_slot *_Atomic held;
	/* Set by loan_give(), cleared by whoever frees the last mbuf. */
	atomic_bool out;
	/* Under the queue's lock: segments sent on the queue up to here, modulo 2^32. */
	uint32_t mark;
} __rte_cache_aligned;

/** What one lcore has lent to one device, a ring in the order of giving. */
struct loans {
	/* Constant. */
	struct loan *loan;
	uint16_t mask;

	/* The lcore's alone, but for reading under the queue's lock by itself. */
	uint16_t next;          /**< position of the next one to give */
	_Atomic uint64_t given; /**< loans ever; read by control */

	/* Written under the queue's lock, read by anybody. */
	_Alignas(64) atomic_ushort marked; /**< those before were handed to the driver */
	atomic_ushort ended;               /**< those before are not held any more */
};

/**
 * Is the device through with a descriptor?
 *
 * @param offset from the place where the next packet goes, in the direction of sending: 0 is the
 *        oldest descriptor of the ring
 */
typedef bool loan_done_fn(void *arg, uint16_t offset);

/**
 * @param n how many at once, a power of 2 up to 32768
 * @return NULL when there is no memory
 */
struct loans *loans_create(uint32_t n, int numa);

/** After the device has been stopped, and its driver has freed every mbuf. NULL is fine. */
void loans_destroy(struct loans *loans);

/** May a driver still free mbufs of these? Any thread, once nothing is given any more. */
bool loans_are_out(const struct loans *loans);

/** May another frame be lent? The lcore that gives. */
static inline bool
loan_can_give(const struct loans *loans)
{
	const struct loan *loan = &loans->loan[loans->next & loans->mask];
	uint16_t ended = atomic_load_explicit(&loans->ended, memory_order_acquire);

	return (uint16_t)(loans->next - ended) <= loans->mask &&
	       !atomic_load_explicit(&loan->out, memory_order_acquire);
}

/**
 * Lend a held frame, when loan_can_give() says so. The lcore that gives.
 *
 * @param pieces mbufs that will be attached to what is returned
 */
struct rte_mbuf_ext_shared_info *loan_give(
	struct loans *loans, struct hold_slot *slot, uint16_t pieces);

/**
 * What was given since the last call has been handed to the driver, or freed. The lcore that gives,
 * under the queue's lock.
 *
 * @param segments sent on the queue so far, modulo 2^32
 */
void loans_mark(struct loans *loans, uint32_t segments);

/** Is anything held that the device may be through with? Any thread; may be out of date. */
static inline bool
loans_wait(const struct loans *loans)
{
	return atomic_load_explicit(&loans->marked, memory_order_relaxed) !=
	       atomic_load_explicit(&loans->ended, memory_order_relaxed);
}

/**
 * End the hold of what the device has read. Any thread, under the queue's lock.
 *
 * @param segments as in loans_mark(), now
 * @param ring descriptors of the queue
 */
void loans_end(
	struct loans *loans, uint32_t segments, uint16_t ring, loan_done_fn *done, void *arg);

#endif
