/* SPDX-License-Identifier: BSD-3-Clause */
/* Split rings, virtio 1.2 section 2.7. */
#include <string.h>

#include "queue_internal.h"

#include "base/shared.h"

/** @return used_event, the field after the available ring */
static uint16_t *
queue_split_used_event(const struct queue *queue)
{
	return &queue->avail_ring->ring[queue->config.size];
}

/** @return avail_event, the field after the used ring */
static const uint16_t *
queue_split_avail_event(const struct queue *queue)
{
	return (const uint16_t *)&queue->used_ring->ring[queue->config.size];
}

void
queue_split_lay(struct queue *queue, unsigned slot)
{
	unsigned n = queue->config.segments, first = slot * queue->entries;
	const struct queue_piece *pieces = &queue->pieces[slot * n];
	bool indirect = queue->config.indirect;
	struct split_desc *chain = indirect ? queue_table(queue, slot) : &queue->desc[first];
	uint16_t flags = queue->config.write ? VRING_DESC_WRITE : 0;

	for (unsigned i = 0; i < n; i++)
		chain[i] = (struct split_desc){
			.addr = pieces[i].addr,
			.len = pieces[i].len,
			.flags = (uint16_t)(flags | (i + 1 < n ? VRING_DESC_NEXT : 0)),
			.next = (uint16_t)(i + 1 < n ? (indirect ? 0 : first) + i + 1 : 0),
		};
	if (indirect)
		queue->desc[slot] = (struct split_desc){
			.addr = queue->tables_gpa + (uint64_t)slot * n * sizeof(*chain),
			.len = (uint32_t)(n * sizeof(*chain)),
			.flags = VRING_DESC_INDIRECT,
		};
}

void
queue_split_reset(struct queue *queue)
{
	unsigned size = queue->config.size;

	memset(queue->used_ring, 0,
		sizeof(*queue->used_ring) + size * sizeof(struct split_used_elem) +
			sizeof(uint16_t));
	for (unsigned i = 0; i < size; i++)
		queue->avail_ring->ring[i] = (uint16_t)queue_entry(queue, (uint16_t)i);
	queue->avail_ring->idx = 0;
	/* No interrupts, since this program polls; with EVENT_IDX the event is out of reach. */
	queue->avail_ring->flags = VRING_NO_INTERRUPT;
	*queue_split_used_event(queue) = UINT16_MAX;
}

/** Keep used_event out of reach. It is written rarely, to spare cache line transfers. */
static void
queue_split_put_off_event(struct queue *queue)
{
	uint16_t *event = queue_split_used_event(queue);

	if ((uint16_t)(queue->used - *event) > UINT16_MAX / 4)
		*event = (uint16_t)(queue->used - 1);
}

/** General mode: read every id of a batch. @return number of valid ones before the first invalid */
static unsigned
queue_split_note(struct queue *queue, unsigned n)
{
	unsigned mask = queue->config.size - 1U;

	for (unsigned i = 0; i < n; i++) {
		uint32_t id = queue->used_ring->ring[(queue->used + i) & mask].id;

		if (id % queue->entries != 0 ||
			!queue_general_note(queue, i, id / queue->entries)) {
			queue->broken = true;
			return i;
		}
	}
	return n;
}

unsigned
queue_split_poll(struct queue *queue, unsigned max)
{
	/* Acquire: pairs with the back end's release of used.idx after it wrote the elements. */
	uint16_t idx = shared_load_acquire(&queue->used_ring->idx);
	unsigned n = (uint16_t)(idx - queue->used);
	uint16_t last;

	if (n == 0)
		return 0;
	if (n > queue_flight(queue)) {
		queue->broken = true;
		return 0;
	}
	n = n < max ? n : max;
	last = (uint16_t)(queue->used + n - 1);
	if (queue->ordered) {
		/* With IN_ORDER a back end may write only the last element of a batch. */
		if (queue->config.in_order ||
			queue->used_ring->ring[last & (queue->config.size - 1)].id ==
				queue_entry(queue, last))
			return n;
		queue_general_enter(queue);
	}
	return queue_split_note(queue, n);
}

void
queue_split_post(struct queue *queue, unsigned n)
{
	uint16_t avail = (uint16_t)(queue->avail + n);
	unsigned mask = queue->config.size - 1U;

	if (!queue->ordered) {
		for (unsigned i = 0; i < n; i++)
			queue->avail_ring->ring[(queue->avail + i) & mask] =
				(uint16_t)(queue_general_pick(queue, i) * queue->entries);
		queue->n_free = (uint16_t)(queue->n_free - n);
	}
	if (queue->config.event_idx)
		queue_split_put_off_event(queue);
	queue->avail = avail;
	/* Release: descriptors, ring and buffers are visible before the index. */
	shared_store_release(&queue->avail_ring->idx, avail);
}

bool
queue_split_wants_kick(const struct queue *queue)
{
	if (queue->config.event_idx)
		return queue_need_event(shared_load_relaxed(queue_split_avail_event(queue)),
			queue->avail, queue->kicked);
	return !(shared_load_relaxed(&queue->used_ring->flags) & VRING_NO_NOTIFY);
}
