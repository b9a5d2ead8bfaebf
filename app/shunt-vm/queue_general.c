/* SPDX-License-Identifier: BSD-3-Clause */
/* The general mode of a queue: completions in any order, with a stack of free slots. */
#include "queue_internal.h"

void
queue_general_enter(struct queue *queue)
{
	unsigned flight = queue_flight(queue);

	/* The next slots in order are pushed last, on top: the next posts keep their order. */
	for (unsigned i = queue->slots; i > flight; i--)
		queue->free[queue->n_free++] = (queue->used + i - 1) & queue->slot_mask;
	for (unsigned i = 0; i < flight; i++)
		queue->in_flight[(queue->used + i) & queue->slot_mask] = 1;
	queue->ordered = false;
}

bool
queue_general_note(struct queue *queue, unsigned i, uint32_t slot)
{
	if (slot >= queue->slots || !queue->in_flight[slot])
		return false;
	queue->done[i] = (uint16_t)slot;
	return true;
}

bool
queue_general_free(struct queue *queue, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = queue->done[i];

		/* An id completed twice in one batch was posted only once. */
		if (!queue->in_flight[slot])
			return false;
		queue->in_flight[slot] = 0;
		queue->free[queue->n_free++] = (uint16_t)slot;
	}
	return true;
}
