/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tx completion of in-flight frames that a device reads by DMA. Drivers of such devices free an
 * mbuf only when its descriptor is reused, which may be never, but the guest needs its buffer back
 * as soon as it has been read. The mbufs of a frame therefore share a tx completion. The frame is
 * in flight until the device's descriptors show that it has been sent, or until the driver has
 * freed the mbufs, whichever comes first. The tx completion can be reused when the driver has
 * freed the mbufs.
 *
 * Only the driver knows the descriptors of a frame, but a frame of n segments takes at least n of
 * them. The number of segments sent since a frame thus locates its last descriptor or a later one.
 * Devices complete descriptors in order: if that one is done, the frame has been sent.
 *
 * Thread safety: a struct tx_completions belongs to the polling lcore that adds to it.
 * tx_completions_mark() is called by that lcore, tx_completions_reap() by any thread, both under
 * the lock of the tx queue. Any thread may free the last mbuf of a frame.
 */
#ifndef SHUNT_FRAME_TX_COMPLETION_H
#define SHUNT_FRAME_TX_COMPLETION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

struct inflight_slot;

/** The tx completion of one frame; the shared info of its mbufs. */
struct tx_completion {
	struct rte_mbuf_ext_shared_info shared;
	/* Set by tx_completion_add(); exchanged for NULL by the thread that releases it. */
	struct inflight_slot *_Atomic slot;
	/* Set by tx_completion_add(), cleared by the thread that frees the last mbuf. */
	atomic_bool in_use;
	/* Under the tx queue's lock: segments sent on the queue up to this frame, modulo 2^32. */
	uint32_t mark;
} __rte_cache_aligned;

/** Tx completions of one polling lcore on one device, a ring in the order of adding. */
struct tx_completions {
	/* Constant. */
	struct tx_completion *completion;
	uint16_t mask;

	/* Written by the polling lcore. */
	uint16_t next;          /**< position of the next one to add; read by the lcore only */
	_Atomic uint64_t added; /**< total number added; read by the control thread */

	/* Written under the tx queue's lock, read by any thread. */
	_Alignas(64) atomic_ushort marked; /**< frames before it were passed to the driver */
	atomic_ushort ended;               /**< frames before it are no longer in flight */
};

/**
 * Whether the device has completed a descriptor.
 *
 * @param offset from the descriptor of the next packet, in the direction of sending: 0 is the
 *        oldest descriptor of the ring
 */
typedef bool tx_completion_done_fn(void *arg, uint16_t offset);

/**
 * Create tx completions. Not for polling lcores.
 *
 * @param n largest number in use at once, a power of 2 up to 32768
 * @param numa socket to allocate on
 * @return NULL if there is no memory
 */
struct tx_completions *tx_completions_create(uint32_t n, int numa);

/** Free tx completions; only while tx_completions_in_use() is false. NULL is ignored. */
void tx_completions_destroy(struct tx_completions *completions);

/** @return true if a driver may still free mbufs of these. Any thread, after the last add. */
bool tx_completions_in_use(const struct tx_completions *completions);

/** @return true if another frame can be added. The owning lcore. */
static inline bool
tx_completion_can_add(const struct tx_completions *completions)
{
	const struct tx_completion *completion =
		&completions->completion[completions->next & completions->mask];
	uint16_t ended = atomic_load_explicit(&completions->ended, memory_order_acquire);

	return (uint16_t)(completions->next - ended) <= completions->mask &&
	       !atomic_load_explicit(&completion->in_use, memory_order_acquire);
}

/**
 * Add an in-flight frame; requires tx_completion_can_add(). The owning lcore.
 *
 * @param slot from inflight_take(); released by the tx completion
 * @param pieces number of mbufs that the caller will attach with the returned shared info
 * @return shared info for rte_pktmbuf_attach_extbuf()
 */
struct rte_mbuf_ext_shared_info *tx_completion_add(
	struct tx_completions *completions, struct inflight_slot *slot, uint16_t pieces);

/**
 * Record that the frames added since the last call were passed to the driver, or freed, at this
 * count of segments, from which tx_completions_reap() locates descriptors. The owning lcore, under
 * the tx queue's lock.
 *
 * @param segments sent on the queue so far, modulo 2^32
 */
void tx_completions_mark(struct tx_completions *completions, uint32_t segments);

/** @return true if marked frames are in flight. Any thread; the value may be outdated. */
static inline bool
tx_completions_pending(const struct tx_completions *completions)
{
	return atomic_load_explicit(&completions->marked, memory_order_relaxed) !=
	       atomic_load_explicit(&completions->ended, memory_order_relaxed);
}

/**
 * Release the frames that the device has read. Any thread, under the tx queue's lock.
 *
 * @param segments sent on the queue so far, modulo 2^32
 * @param ring number of descriptors of the queue
 * @param done whether the device has completed a descriptor
 * @param arg passed to `done`
 */
void tx_completions_reap(struct tx_completions *completions, uint32_t segments, uint16_t ring,
	tx_completion_done_fn *done, void *arg);

#endif
