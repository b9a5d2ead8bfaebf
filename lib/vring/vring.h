/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device side of a virtqueue, split or packed (virtio 1.2 sections 2.7 and 2.8): frames out of a
 * guest's transmit ring, frames into a guest's receive ring.
 *
 * The ring lies in memory that a guest may change at any time. Every value is read once into a
 * local, checked, and used from there. What breaks the rules marks the ring broken: it yields and
 * takes nothing any more, and `broken` says why.
 *
 * Descriptors complete in the order in which they were made available, but for those whose frames a
 * device holds too long (frame/hold.h).
 *
 * Thread safety: a ring that is popped belongs to one polling lcore. A ring that is pushed may be
 * used by several under its lock. Control creates and destroys rings when no lcore uses them.
 */
#ifndef SHUNT_VRING_VRING_H
#define SHUNT_VRING_VRING_H

#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <rte_spinlock.h>

#include "frame/frame.h"
#include "frame/hold.h"
#include "vring/fault.h"
#include "vring/journal.h"
#include "vring/memory.h"

enum {
	VIRTQ_HEAD = 116,       /**< bytes of a frame copied to host memory */
	VIRTQ_HEADER_MAX = 12,  /**< bytes of a virtio-net header */
	VIRTQ_HEADER_LEN = 10,  /**< the same without its last field */
	VIRTQ_SEGMENTS = 512,   /**< pieces of one burst's frames in guest memory */
	VIRTQ_SIZE_MAX = 32768, /**< virtio 1.2 sections 2.7 and 2.8 */
	VIRTQ_FRAME_MAX = 65535 + FRAME_ETH_LEN + 2 * FRAME_TAG_LEN,
};

/**
 * A descriptor of a packed ring, virtio 1.2 section 2.8.13. What says whose it is stands in one word
 * with the rest, so that one load or store takes all of it.
 */
struct virtq_packed_desc {
	uint64_t addr;
	union {
		struct {
			uint32_t len;
			uint16_t id;
			uint16_t flags;
		};
		uint64_t word;
	};
};

/** Event suppression of a packed ring, virtio 1.2 section 2.8.14. */
struct virtq_packed_event {
	union {
		struct {
			uint16_t off_wrap; /**< descriptor, and the wrap counter in bit 15 */
			uint16_t flags;
		};
		uint32_t word;
	};
};

_Static_assert(sizeof(struct virtq_packed_desc) == 16 && sizeof(struct virtq_packed_event) == 4,
	"as virtio lays them out");

struct virtq;
struct virtq_batch;
struct virtq_ops;

/** What became of frames that were pushed. */
struct virtq_result {
	uint64_t bytes;  /**< of frames that are in the ring */
	uint16_t sent;   /**< frames that are in the ring */
	uint16_t misfit; /**< frames that no buffer of this ring can hold */
};

/** What is settled before frames move; copied by virtq_init(). */
struct virtq_setup {
	const struct virtq_ops *ops; /**< NULL = the best this CPU has */
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
	uint16_t size; /**< descriptors; of a split ring a power of two */
	/** Indexes; of a packed ring positions, with the wrap counter in bit 15 */
	uint16_t last_avail;
	uint16_t last_used;
	uint8_t header_len; /**< 10 or 12, virtio 1.2 section 5.1.6; 12 of a packed ring */
	bool packed;
	bool event_idx;
	bool mergeable;
	uint8_t offloads;  /**< FRAME_CSUM, FRAME_TSO4, FRAME_TSO6 negotiated in this direction */
	bool call_socket;  /**< callfd is a Unix socket, else an eventfd (call_check()) */
	int callfd;        /**< to interrupt the guest, negative = none */
	struct hold *hold; /**< for a ring that is popped, whose frames devices may read; or NULL */
	struct virtq_journal *journal; /**< of this ring; NULL = none is kept */
	struct virtq_home home;        /**< where the ring lies, for its journal */
};

/** The bursts of split or packed rings, compiled for one instruction set. */
struct virtq_ops {
	const char *name;
	const struct virtq_ops *packed; /**< the same for packed rings; NULL there */
	uint16_t (*pop)(struct virtq *ring, struct virtq_batch *batch, struct frame frames[],
		uint16_t n, uint64_t *bad);
	uint16_t (*push)(struct virtq *ring, struct frame *const frames[], uint16_t n,
		struct virtq_result *result);
	void (*pop_done)(struct virtq *ring, const struct virtq_batch *batch);
};

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
	struct hold *hold; /**< of frames popped that devices read from; NULL = none may */
	struct virtq_journal *journal; /**< NULL = none is kept */

	/* Written by the lcore that pops, or that holds the lock for pushing. */
	_Alignas(64) rte_spinlock_t lock;
	uint16_t last_avail;  /**< next entry of the available ring; see struct virtq_setup */
	uint16_t last_used;   /**< next entry of the used ring */
	uint16_t signalled;   /**< last_used when the guest was last told */
	bool signalled_valid; /**< it has been told something */
	bool untold;          /**< something was used since */
	bool unwanted; /**< split, without EVENT_IDX: the driver wanted no interrupts when last asked */
	unsigned hint;                  /**< memory region of the last buffer */
	struct virtq_packed_desc *held; /**< packed: first to be used of a burst, NULL = none yet */
	uint64_t held_word;             /**< what it is to become once the others are written */

	/* Written by lcores, once; read by lcores and control. */
	atomic_int broken;   /**< enum virtq_fault */
	atomic_ullong calls; /**< interrupts sent */
};

/** Frames of one burst on their way out of a ring: what the frames' pointers point to. */
struct virtq_batch {
	/* Header and first bytes of each frame, as they lie in the guest: lines to copy whole. */
	uint8_t head[FRAME_BURST][VIRTQ_HEADER_MAX + VIRTQ_HEAD] __attribute__((aligned(64)));
	struct frame_segment segment[VIRTQ_SEGMENTS];
	uint16_t chain[FRAME_BURST]; /**< head descriptor of each frame taken; packed: buffer id */
	uint16_t descs[FRAME_BURST]; /**< packed: descriptors of each frame taken */
	uint16_t taken;              /**< how many, bad ones included */
};

/** The bursts that this CPU can run, of split rings, the best first. @return NULL beyond the last */
const struct virtq_ops *virtq_ops_at(unsigned i);

/** Is there a ring that this can be the setup of? */
bool virtq_valid(const struct virtq_setup *setup);

/** Check and take over a setup. @return 0; -EINVAL for a ring that cannot be */
int virtq_init(struct virtq *ring, const struct virtq_setup *setup);

/**
 * Take frames out of a guest's transmit ring. Their payload stays in the guest's buffers until
 * virtq_pop_done().
 *
 * @param n up to FRAME_BURST
 * @param frames receives up to n; those that make no sense are left out
 * @param bad incremented for each frame left out
 * @return how many frames
 */
static inline uint16_t
virtq_pop(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	return ring->ops->pop(ring, batch, frames, n, bad);
}

/**
 * Give all buffers of the last virtq_pop() back to the guest, but for those that are held and those
 * that wait for them. virtq_tell() is to follow.
 */
void virtq_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/**
 * Give back what devices have read since, and a batch that was popped: what virtq_pop_done() does
 * for a ring with a hold.
 *
 * @param batch NULL = no new one
 */
void virtq_settle(struct virtq *ring, const struct virtq_batch *batch);

/** Are buffers of a ring that is popped still to go back? */
static inline bool
virtq_waits(const struct virtq *ring)
{
	return ring->hold != NULL && !hold_is_empty(ring->hold);
}

/**
 * The last word on a ring that was popped, when nobody uses it any more: its indexes agree
 * afterwards. Frames behind one that a device still reads will be popped again.
 */
void virtq_pop_end(struct virtq *ring);

/**
 * Put frames into a guest's receive ring; virtq_tell() is to follow. Frames are only read. Call with
 * the ring's lock held where several lcores push.
 *
 * @param n up to FRAME_BURST
 * @return how many were dealt with, from the first: the ring was full or broke at the next
 */
static inline uint16_t
virtq_push(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	return ring->ops->push(ring, frames, n, result);
}

/**
 * Interrupt those guests that want it of what was pushed, or given back, since they were last told.
 * One memory fence, which waits for all stores so far, is for all of them. A packed ring must have
 * been told before it is pushed to, or popped from, again: its places tell only two rounds apart.
 *
 * @param rings the calling lcore's own, or locked by it
 */
void virtq_tell(struct virtq *const rings[], unsigned n);

/**
 * The same without the fence, by what is known of what guests want. The others may have come to want
 * it a moment ago: virtq_tell() is still to follow for them.
 *
 * @param rings those that are left are moved to its front
 * @return how many are left
 */
unsigned virtq_tell_early(struct virtq *rings[], unsigned n);

/**
 * Which word changes when the guest makes buffers available? It lies in guest memory, for as long as
 * the ring does.
 *
 * @param value receives what it holds now
 * @return NULL: there are buffers already, or some that were taken wait to go back
 */
const uint16_t *virtq_watch(const struct virtq *ring, uint16_t *value);

/** Tell the guest whether to notify us of new buffers: a polled ring wants none. */
void virtq_suppress_kicks(struct virtq *ring);

/** Break a ring for a reason found elsewhere; the first reason stays. Any thread. */
static inline void
virtq_break(struct virtq *ring, enum virtq_fault fault)
{
	int good = VIRTQ_GOOD;

	atomic_compare_exchange_strong(&ring->broken, &good, fault);
}

#endif
