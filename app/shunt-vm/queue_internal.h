/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the files of the queue: what differs between split and packed rings.
 *
 * Thread safety: as queue.h.
 */
#ifndef SHUNT_VM_QUEUE_INTERNAL_H
#define SHUNT_VM_QUEUE_INTERNAL_H

#include "queue.h"

void split_reset(struct queue *queue);
void split_lay(struct queue *queue, unsigned slot);
unsigned split_poll(struct queue *queue, unsigned max);
void split_post(struct queue *queue, unsigned n);
bool split_wants_kick(const struct queue *queue);

void packed_reset(struct queue *queue);
void packed_lay(struct queue *queue, unsigned slot);
unsigned packed_poll(struct queue *queue, unsigned max);
void packed_post(struct queue *queue, unsigned n);
bool packed_wants_kick(const struct queue *queue);

/** Leave the ordered way: list the slots that are free and those in flight. */
void queue_disorder(struct queue *queue);

/** General way: note that completion i is this slot. @return whether it was posted */
bool queue_note(struct queue *queue, unsigned i, uint32_t slot);

/** General way: the slot of post i from now, marked as in flight. */
static inline unsigned
queue_pick(struct queue *queue, unsigned i)
{
	unsigned slot = queue->free[queue->n_free - 1 - i];

	queue->in_flight[slot] = 1;
	return slot;
}

/** Where a slot starts in guest-physical memory. */
static inline uint64_t
queue_data_guest(const struct queue *queue, unsigned slot)
{
	return queue->data_guest + (uint64_t)slot * queue->stride;
}

/** A slot's indirect table, 16 bytes for each segment. */
static inline void *
queue_table(const struct queue *queue, unsigned slot)
{
	return queue->tables + (uint64_t)slot * queue->config.segments * sizeof(struct split_desc);
}

/** Virtio 1.2, 2.7.7.2: did the index pass the event since the last notification? */
static inline bool
queue_need_event(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

#endif
