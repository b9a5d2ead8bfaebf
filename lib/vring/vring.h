/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device side of a virtqueue, split or packed (virtio 1.2 sections 2.7 and 2.8). Frames are
 * popped from a guest's transmit ring and pushed into a guest's receive ring.
 *
 * The ring lies in memory that the guest may change at any time. Every value is read once into a
 * local and checked; only the local is used. A ring that violates the standard is marked broken:
 * no more frames are popped or pushed, and `broken` holds the reason.
 *
 * Descriptors complete in the order in which they were made available, except those of late
 * in-flight frames (frame/inflight.h).
 *
 * Thread safety: a ring that is popped belongs to one polling lcore. A ring that is pushed may be
 * used by several lcores under its lock. Another thread may set up, reclaim from, end and destroy a
 * ring only while no lcore uses it.
 */
#ifndef SHUNT_VRING_VRING_H
#define SHUNT_VRING_VRING_H

#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <rte_spinlock.h>

#include "frame/frame.h"
#include "frame/inflight.h"
#include "vring/dirty_log.h"
#include "vring/fault.h"
#include "vring/journal.h"
#include "vring/memory.h"
#include "vring/packed_layout.h"

enum {
	VIRTQ_HEAD = 116,       /**< bytes of a frame copied to host memory */
	VIRTQ_HEADER_MAX = 12,  /**< bytes of a virtio-net header */
	VIRTQ_HEADER_LEN = 10,  /**< the same without num_buffers */
	VIRTQ_SEGMENTS = 512,   /**< guest memory segments of the frames of one burst */
	VIRTQ_SIZE_MAX = 32768, /**< largest queue size, virtio 1.2 sections 2.7 and 2.8 */
	VIRTQ_FRAME_MAX = 65535 + FRAME_ETH_LEN + 2 * FRAME_TAG_LEN,
};

struct virtq;
struct virtq_batch;
struct virtq_ops;

/** Result of virtq_push(). */
struct virtq_result {
	uint64_t bytes;    /**< of the frames written to the ring */
	uint16_t sent;     /**< frames written to the ring */
	uint32_t too_long; /**< frames not sent, longer than any buffer of this ring: a bit each */
};

/** Configuration of a ring; copied by virtq_init(). */
struct virtq_setup {
	const struct virtq_ops *ops; /**< NULL = the best that this CPU supports */
	union {
		struct vring_desc *desc;
		struct virtq_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct virtq_packed_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct virtq_packed_event *device_event;
	};
	const struct memory *memory;
	uint16_t size; /**< descriptors; a power of two for a split ring */
	/** Next entry to read and to use; packed: descriptor index, wrap counter in bit 15 */
	uint16_t last_avail;
	uint16_t last_used;
	uint8_t header_len; /**< 10 or 12, virtio 1.2 section 5.1.6; 12 for a packed ring */
	bool packed;
	bool event_idx;
	bool mergeable;
	uint8_t offloads; /**< FRAME_CSUM, FRAME_TSO4, FRAME_TSO6 negotiated in this direction */
	bool call_socket; /**< callfd is a Unix socket, else an eventfd; see call_check() */
	int callfd;       /**< interrupts the guest; negative = none */
	/** In-flight frames of a ring that is popped; NULL = devices must not read its frames */
	struct inflight *inflight;
	struct virtq_journal *journal;  /**< of this ring; NULL = none is kept */
	struct virtq_location location; /**< location of the ring, for its journal */
	struct dirty_log *dirty_log;    /**< of writes to `memory`; NULL = none is kept */
};

/** Burst functions for split or packed rings, compiled for one instruction set. */
struct virtq_ops {
	const char *name;
	const struct virtq_ops *packed; /**< the same for packed rings; NULL in those */
	const struct virtq_ops *logged; /**< the same with a dirty log; NULL in those */
	uint16_t (*pop)(struct virtq *ring, struct virtq_batch *batch, struct frame frames[],
		uint16_t n, uint64_t *bad);
	uint16_t (*push)(struct virtq *ring, struct frame *const frames[], uint16_t n,
		struct virtq_result *result);
	void (*pop_done)(struct virtq *ring, const struct virtq_batch *batch);
};

/** A ring. */
struct virtq {
	/* Constant while frames move. */
	const struct virtq_ops *ops;
	union {
		const struct vring_desc *desc;
		struct virtq_packed_desc *packed_desc;
	};
	union {
		const struct vring_avail *avail;
		const struct virtq_packed_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct virtq_packed_event *device_event;
	};
	const struct memory *memory;
	uint16_t mask; /**< size - 1; the size of a packed ring need not be a power of two */
	uint8_t header_len;
	bool packed;
	bool event_idx;
	bool mergeable;
	uint8_t offloads;
	bool call_socket;
	int callfd;
	struct inflight *inflight;     /**< NULL = devices must not read its frames */
	struct virtq_journal *journal; /**< NULL = none is kept */
	struct dirty_log *dirty_log;   /**< NULL = none is kept; bound to `ops` */

	/* Written by the polling lcore that pops, or that pushes under the lock. */
	_Alignas(64) rte_spinlock_t lock;
	uint16_t last_avail;  /**< next entry of the available ring; see struct virtq_setup */
	uint16_t last_used;   /**< next entry of the used ring */
	uint16_t signalled;   /**< last_used when an interrupt was last sent or found unwanted */
	bool signalled_valid; /**< `signalled` is set */
	bool pending;         /**< notification pending: descriptors were used since */
	bool no_interrupt;    /**< split, no EVENT_IDX: VRING_AVAIL_F_NO_INTERRUPT when last read */
	unsigned hint;        /**< memory region of the last buffer */
	struct virtq_packed_desc *first_used; /**< packed: published last of a burst, or NULL */
	uint64_t first_used_word;             /**< its word */

	/* Written by polling lcores, read by polling lcores and the control thread. */
	atomic_int broken;   /**< enum virtq_fault; written once */
	atomic_ullong calls; /**< interrupts sent */
};

/** Storage of one popped burst: the frames point into it until virtq_pop_done(). */
struct virtq_batch {
	/* Header and first bytes of each frame, adjacent as in guest memory: copied by lines. */
	uint8_t head[FRAME_BURST][VIRTQ_HEADER_MAX + VIRTQ_HEAD] __attribute__((aligned(64)));
	struct frame_segment segment[VIRTQ_SEGMENTS];
	uint16_t chain[FRAME_BURST]; /**< head descriptor of each chain popped; packed: buffer id */
	uint16_t descs[FRAME_BURST]; /**< packed: descriptors of each chain popped */
	uint16_t popped;             /**< chains popped, including malformed frames */
};

/**
 * Burst functions for split rings that this CPU can run, the best first. Any thread.
 *
 * @param i from 0, the best
 * @return NULL beyond the last one
 */
const struct virtq_ops *virtq_ops_at(unsigned i);

/** @return true if size, alignment, header length and indexes are legal for the ring format */
bool virtq_valid(const struct virtq_setup *setup);

/**
 * Initialise a ring from a setup, which is copied. No lcore may use the ring yet.
 *
 * @return 0; -EINVAL unless virtq_valid()
 */
int virtq_init(struct virtq *ring, const struct virtq_setup *setup);

/**
 * Pop frames from a guest's transmit ring. Their payload stays in the guest's buffers, which are
 * returned by virtq_pop_done(). Polling lcore that owns the ring.
 *
 * @param n up to FRAME_BURST
 * @param frames receives up to n; malformed frames are left out
 * @param bad incremented for each frame left out
 * @return number of frames
 */
static inline uint16_t
virtq_pop(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	return ring->ops->pop(ring, batch, frames, n, bad);
}

/**
 * Return all buffers of the last virtq_pop() to the guest, except those in flight and those that
 * wait for them. virtq_notify() must follow. Polling lcore that owns the ring.
 */
void virtq_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/**
 * Return the buffers that devices have finished reading and those of a popped batch that need not
 * wait. Only for a ring with `inflight` set. Polling lcore that owns the ring, or any thread once
 * no lcore uses it.
 *
 * @param batch NULL = only reclaim
 */
void virtq_reclaim(struct virtq *ring, const struct virtq_batch *batch);

/** @return true if popped buffers are in flight, or wait for in-flight ones */
static inline bool
virtq_has_inflight(const struct virtq *ring)
{
	return ring->inflight != NULL && !inflight_is_empty(ring->inflight);
}

/**
 * Stop popping a ring that no lcore uses any more. Afterwards the available and used indexes agree:
 * late buffers are returned, and buffers from the oldest in-flight one on are rewound, so that
 * they will be popped again.
 */
void virtq_pop_end(struct virtq *ring);

/**
 * Push frames into a guest's receive ring; virtq_notify() must follow. Frames are only read and
 * remain the caller's. Polling lcore; with the ring's lock held where several lcores push.
 *
 * @param frames to push, in order
 * @param n up to FRAME_BURST
 * @param result overwritten
 * @return number of frames processed, sent or too long; the ring was full or broken at the next one
 */
static inline uint16_t
virtq_push(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	return ring->ops->push(ring, frames, n, result);
}

/**
 * Send an interrupt for each ring with a notification pending whose driver wants one. One memory
 * fence, which waits for all earlier stores, covers all rings. A packed ring must be notified
 * before it is pushed to or popped from again: index plus wrap counter distinguishes two laps of
 * the ring, no more (virtio 1.2 section 2.8.1).
 *
 * @param rings,n owned or locked by the calling polling lcore
 */
void virtq_notify(struct virtq *const rings[], unsigned n);

/**
 * virtq_notify() without the fence. A driver may have enabled interrupts just before, which only
 * the fence makes visible: virtq_notify() must follow for the rings that remain.
 *
 * @param rings,n the rings that remain, whose notification is pending, are moved to the front
 * @return number of rings that remain
 */
unsigned virtq_notify_unfenced(struct virtq *rings[], unsigned n);

/**
 * Find the word that changes when the guest makes buffers available. It lies in guest memory and is
 * valid as long as the ring.
 *
 * @param value receives its present value
 * @return NULL if buffers are available already or virtq_has_inflight()
 */
const uint16_t *virtq_monitor(const struct virtq *ring, uint16_t *value);

/** Disable the guest's kicks, which a polled ring does not need. */
void virtq_suppress_kicks(struct virtq *ring);

/** Mark a ring broken; the first reason stays. Any thread. @param fault not VIRTQ_GOOD */
static inline void
virtq_break(struct virtq *ring, enum virtq_fault fault)
{
	int good = VIRTQ_GOOD;

	atomic_compare_exchange_strong(&ring->broken, &good, fault);
}

#endif
