/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to queue*.c: functions that differ between split and packed rings.
 *
 * Thread safety: as queue.h.
 */
#ifndef SHUNT_VM_QUEUE_INTERNAL_H
#define SHUNT_VM_QUEUE_INTERNAL_H

#include "queue.h"

/** Initialize the rings; nothing is posted. */
void queue_split_reset(struct queue *queue);
void queue_packed_reset(struct queue *queue);

/** Write the descriptors of a slot from its pieces. */
void queue_split_lay(struct queue *queue, unsigned slot);
void queue_packed_lay(struct queue *queue, unsigned slot);

/** queue_poll() of a queue that is not broken. */
unsigned queue_split_poll(struct queue *queue, unsigned max);
unsigned queue_packed_poll(struct queue *queue, unsigned max);

/** queue_post(). */
void queue_split_post(struct queue *queue, unsigned n);
void queue_packed_post(struct queue *queue, unsigned n);

/** @return true if the back end requests a kick for the posts since the last one */
bool queue_split_wants_kick(const struct queue *queue);
bool queue_packed_wants_kick(const struct queue *queue);

/** Enter the general mode: list the free slots and those in flight. */
void queue_general_enter(struct queue *queue);

/** General mode: record slot as completion i. @return false if it was not posted */
bool queue_general_note(struct queue *queue, unsigned i, uint32_t slot);

/** General mode: free the slots of completions 0 to n - 1. @return false if one was not posted */
bool queue_general_free(struct queue *queue, unsigned n);

/** General mode: mark the slot of the next post but i as in flight. @return the slot */
static inline unsigned
queue_general_pick(struct queue *queue, unsigned i)
{
	unsigned slot = queue->free[queue->n_free - 1 - i];

	queue->in_flight[slot] = 1;
	return slot;
}

/** @return GPA of a slot */
static inline uint64_t
queue_data_gpa(const struct queue *queue, unsigned slot)
{
	return queue->data_gpa + (uint64_t)slot * queue->stride;
}

/** @return the indirect table of a slot, 16 bytes per segment */
static inline void *
queue_table(const struct queue *queue, unsigned slot)
{
	return queue->tables + (uint64_t)slot * queue->config.segments * sizeof(struct split_desc);
}

/** @return true if the index passed the event since the last notification (virtio 1.2 2.7.7.2) */
static inline bool
queue_need_event(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

#endif
