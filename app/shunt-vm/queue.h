/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of one virtqueue, split or packed, at the least cost that the ring allows.
 *
 * A queue has `slots` buffers of equal size, each with its own fixed descriptors. As long as the
 * back end completes in order, post k is slot k % slots: descriptors and the available ring are
 * written once, and for a split ring only indexes change. The last completion of each batch is
 * compared with the id that this order requires; after the first mismatch the queue runs in its
 * general mode, which reads every id and keeps a list of free slots. A completion of an id that was
 * not posted marks the queue as broken.
 *
 * To receive or reap: n = queue_poll(), read queue_done_slot/length(0..n-1), queue_consume().
 * To send or refill: fill queue_slot(0..n-1), n <= queue_space(), queue_post().
 * Call queue_notify() regularly: it kicks a back end that waits for a kick.
 *
 * Thread safety: a queue belongs to one thread at a time.
 */
#ifndef SHUNT_VM_QUEUE_H
#define SHUNT_VM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "vring.h"

/** Properties of a queue; size and segments are powers of two. */
struct queue_config {
	bool packed, event_idx, in_order, indirect;
	bool write;          /**< the back end writes the buffers: a receive queue */
	uint16_t size;       /**< ring entries */
	uint16_t segments;   /**< descriptors of a buffer, in the ring or its indirect table */
	uint16_t header;     /**< bytes of the header when it has its own descriptor, else 0 */
	uint32_t slot_bytes; /**< size of a buffer, header included */
};

/** The part of a buffer that one descriptor names. */
struct queue_piece {
	uint64_t addr;
	uint32_t len;
};

struct queue {
	struct queue_config config;
	/* Constant after queue_open(). */
	uint16_t slots, slot_mask, slot_shift;
	uint16_t entries; /**< ring entries of a slot: segments, or 1 when indirect */
	uint32_t stride;  /**< distance of slots in bytes */
	uint8_t *data;
	uint64_t data_gpa;
	struct split_desc *desc; /**< split */
	struct split_avail *avail_ring;
	struct split_used *used_ring;
	struct packed_desc *pdesc; /**< packed */
	struct packed_event *driver_event, *device_event;
	uint8_t *tables; /**< indirect tables in guest memory, segments entries for each slot */
	uint64_t tables_gpa;
	int kickfd, callfd; /**< -1 when closed; owned by the front end */
	/* Written by the queue's thread. Counts run freely, ring positions derive from them. */
	uint16_t avail;             /**< slots posted */
	uint16_t used;              /**< slots consumed */
	uint16_t kicked;            /**< avail when the back end was last kicked */
	bool ordered;               /**< post k is slot k % slots; false: general mode */
	bool broken;                /**< the back end wrote an invalid completion */
	uint16_t addressed;         /**< packed, ordered: slots whose entries hold addresses */
	uint16_t n_free;            /**< general mode: free slots on the stack */
	uint16_t *free;             /**< general mode: stack of free slots */
	uint16_t *done;             /**< general mode: slots of the last poll */
	uint8_t *in_flight;         /**< general mode: by slot */
	uint32_t *lengths;          /**< by slot: bytes of its descriptors together */
	struct queue_piece *pieces; /**< segments of each slot */
	uint64_t *words;            /**< packed: len, id, flags of each entry, without wrap bits */
};

/** @return bytes of guest memory that queue_open() takes */
uint64_t queue_bytes(const struct queue_config *config);

/**
 * Allocate and initialize rings and buffers; nothing is posted.
 *
 * @return 0, -ENOMEM
 */
int queue_open(struct queue *queue, const struct queue_config *config, struct memory *memory);

/** Reset the rings, as a driver that resets its device. Buffers keep contents and lengths. */
void queue_reset(struct queue *queue);

/** Release everything but guest memory; safe on a zeroed queue. */
void queue_close(struct queue *queue);

/** Set the number of bytes in a free slot, at least one per segment. */
void queue_set_length(struct queue *queue, unsigned slot, uint32_t bytes);

/**
 * Poll for completions.
 *
 * @param max limit; with packed and in order a batch of the back end may exceed it
 * @return number of completions that can be read and consumed
 */
unsigned queue_poll(struct queue *queue, unsigned max);

/** Consume the first n completions of the last poll; their slots become free. */
void queue_consume(struct queue *queue, unsigned n);

/** Make the first n free slots available to the back end. */
void queue_post(struct queue *queue, unsigned n);

/** Kick the back end if it requests kicks and there was none since the last post. */
void queue_notify(struct queue *queue);

/** Kick unconditionally. */
void queue_kick(struct queue *queue);

/**
 * The base for SET_VRING_BASE: the position from which the back end continues. No slot may be in
 * flight.
 */
uint32_t queue_base(const struct queue *queue);

/**
 * Compare the base returned by GET_VRING_BASE with the ring. A back end that stops a ring has
 * completed exactly the buffers that it has consumed, so the base equals the completions in the
 * ring. Consumes nothing.
 *
 * @return true if they agree
 */
bool queue_agrees(struct queue *queue, uint32_t base);

/** @return number of slots in flight: posted and not consumed */
static inline unsigned
queue_flight(const struct queue *queue)
{
	return (uint16_t)(queue->avail - queue->used);
}

/** @return number of slots that can be posted */
static inline unsigned
queue_space(const struct queue *queue)
{
	return queue->slots - queue_flight(queue);
}

/** @return the slot of the next post but i, i < queue_space() */
static inline unsigned
queue_slot(const struct queue *queue, unsigned i)
{
	return queue->ordered ? (queue->avail + i) & queue->slot_mask
			      : queue->free[queue->n_free - 1 - i];
}

/** @return the slot of completion i of the last poll */
static inline unsigned
queue_done_slot(const struct queue *queue, unsigned i)
{
	return queue->ordered ? (queue->used + i) & queue->slot_mask : queue->done[i];
}

/** @return the ring entry that a count of slots corresponds to */
static inline unsigned
queue_entry(const struct queue *queue, uint16_t count)
{
	return (count & queue->slot_mask) * queue->entries;
}

/** @return used length of completion i of the last poll, at most the size of a slot */
static inline uint32_t
queue_done_length(const struct queue *queue, unsigned i)
{
	uint16_t count = (uint16_t)(queue->used + i);
	uint32_t length = queue->config.packed
				  ? queue->pdesc[queue_entry(queue, count)].len
				  : queue->used_ring->ring[count & (queue->config.size - 1)].len;

	return length < queue->config.slot_bytes ? length : queue->config.slot_bytes;
}

/** @return the buffer of a slot, which begins with the virtio-net header */
static inline uint8_t *
queue_data(const struct queue *queue, unsigned slot)
{
	return queue->data + (uint64_t)slot * queue->stride;
}

#endif
