/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of one virtqueue, split or packed, made to cost as little as the ring allows.
 *
 * A queue has `slots` buffers of equal space, each with its own fixed descriptors. As long as the
 * back end completes in order, the k-th post is slot k % slots: descriptors and the avail ring are
 * laid out once, and for a split ring only indexes move. The last completion of each batch is
 * compared with what order demands; the first surprise turns the queue to the general way, which
 * reads every id and keeps a list of free slots. Ids that were not posted break the queue.
 *
 * To receive or reap: n = queue_poll(), look at queue_done_slot/length(0..n-1), queue_consume().
 * To send or refill: fill queue_slot(0..n-1), n <= queue_space(), queue_post().
 * Call queue_notify() now and then: it kicks a back end that sleeps.
 *
 * Thread safety: a queue belongs to one thread at a time.
 */
#ifndef SHUNT_VM_QUEUE_H
#define SHUNT_VM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "vring.h"

/** What a queue shall be; all powers of two. */
struct queue_config {
	bool packed, event_idx, in_order, indirect;
	bool write;        /**< the back end writes the buffers: a receive queue */
	uint16_t size;     /**< ring entries */
	uint16_t segments; /**< descriptors of a buffer, in the ring or its indirect table */
	uint16_t header;   /**< bytes of the first descriptor when the header stands apart, or 0 */
	uint32_t slot_bytes; /**< space of a buffer, header included */
};

/** One descriptor's part of a buffer. */
struct queue_piece {
	uint64_t addr;
	uint32_t len;
};

struct queue {
	struct queue_config config;
	/* Constant after queue_open(). */
	uint16_t slots, slot_mask, slot_shift;
	uint16_t entries; /**< ring entries of a slot: segments, or 1 when indirect */
	uint32_t stride;  /**< bytes from slot to slot */
	uint8_t *data;
	uint64_t data_guest;
	struct split_desc *desc; /**< split */
	struct split_avail *avail_ring;
	struct split_used *used_ring;
	struct packed_desc *pdesc; /**< packed */
	struct packed_event *driver_event, *device_event;
	uint8_t *tables; /**< indirect tables in guest memory, segments entries for each slot */
	uint64_t tables_guest;
	int kickfd, callfd; /**< -1 when closed; of whoever runs the front end */
	/* Written by the queue's thread. Counts run freely; positions follow from them. */
	uint16_t avail;             /**< slots posted */
	uint16_t used;              /**< slots consumed */
	uint16_t kicked;            /**< avail when the back end was last kicked */
	bool ordered;               /**< the k-th post is slot k % slots */
	bool broken;                /**< the back end wrote what makes no sense */
	uint16_t addressed;         /**< packed, ordered: slots whose entries tell addresses */
	uint16_t n_free;            /**< general way: free slots on the stack */
	uint16_t *free;             /**< general way: stack of free slots */
	uint16_t *done;             /**< general way: slots of the last poll */
	uint8_t *in_flight;         /**< general way: by slot */
	uint32_t *lengths;          /**< bytes a slot's descriptors span */
	struct queue_piece *pieces; /**< segments of each slot */
	uint64_t *words;            /**< packed: len, id, flags of each entry, without wrap bits */
};

/** Bytes of guest memory that a queue will take. */
uint64_t queue_bytes(const struct queue_config *config);

/**
 * Allocate the rings and buffers and lay everything out; nothing is posted.
 *
 * @return 0, -ENOMEM
 */
int queue_open(struct queue *queue, const struct queue_config *config, struct memory *memory);

/** Lay out again from nothing, as a driver that resets its device. Buffers keep their bytes. */
void queue_reset(struct queue *queue);

/** Release what is not guest memory; safe on a zeroed queue. */
void queue_close(struct queue *queue);

/** Say how many bytes a free slot holds (at least one for each segment). */
void queue_set_length(struct queue *queue, unsigned slot, uint32_t bytes);

/**
 * Look for completions.
 *
 * @param max at most that many; with packed and in order a batch of the back end is not cut
 * @return how many can be looked at and consumed
 */
unsigned queue_poll(struct queue *queue, unsigned max);

/** Take the first n of the last poll; their slots are free from then on. */
void queue_consume(struct queue *queue, unsigned n);

/** Hand the first n free slots to the back end. */
void queue_post(struct queue *queue, unsigned n);

/** Kick the back end when it wants to be and has not been since the last post. */
void queue_notify(struct queue *queue);

/** Kick unasked. */
void queue_kick(struct queue *queue);

/** The ring index for SET_VRING_BASE: what the back end will look at next, nothing in flight. */
uint32_t queue_base(const struct queue *queue);

/**
 * Does the base that GET_VRING_BASE returned agree with what the ring shows? A back end that stops
 * completes what it took: all that was completed, and no more, was taken. Consumes nothing.
 */
bool queue_agrees(struct queue *queue, uint32_t base);

/** Slots with the back end. */
static inline unsigned
queue_flight(const struct queue *queue)
{
	return (uint16_t)(queue->avail - queue->used);
}

/** Slots that can be posted. */
static inline unsigned
queue_space(const struct queue *queue)
{
	return queue->slots - queue_flight(queue);
}

/** The slot that post number i from now uses, i < queue_space(). */
static inline unsigned
queue_slot(const struct queue *queue, unsigned i)
{
	return queue->ordered ? (queue->avail + i) & queue->slot_mask
			      : queue->free[queue->n_free - 1 - i];
}

/** The slot of completion i of the last poll. */
static inline unsigned
queue_done_slot(const struct queue *queue, unsigned i)
{
	return queue->ordered ? (queue->used + i) & queue->slot_mask : queue->done[i];
}

/** Where a count stands in the ring. */
static inline unsigned
queue_entry(const struct queue *queue, uint16_t count)
{
	return (count & queue->slot_mask) * queue->entries;
}

/** Bytes the back end wrote into completion i of the last poll, at most the slot's. */
static inline uint32_t
queue_done_length(const struct queue *queue, unsigned i)
{
	uint16_t count = (uint16_t)(queue->used + i);
	uint32_t length = queue->config.packed
				  ? queue->pdesc[queue_entry(queue, count)].len
				  : queue->used_ring->ring[count & (queue->config.size - 1)].len;

	return length < queue->config.slot_bytes ? length : queue->config.slot_bytes;
}

/** A slot's bytes, header first. */
static inline uint8_t *
queue_data(const struct queue *queue, unsigned slot)
{
	return queue->data + (uint64_t)slot * queue->stride;
}

#endif
