/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's side of a virtqueue: functions that split and packed rings share. */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue_internal.h"

enum { LINE = 64 };

/**
 * @return distance of slots in bytes: an odd number of cache lines distributes the headers of
 * buffers over all sets of a cache. In a few sets their conflict misses would dominate the
 * measurement.
 */
static uint32_t
queue_stride(const struct queue_config *config)
{
	return (((config->slot_bytes + LINE - 1) / LINE) | 1) * LINE;
}

/** @return number of buffers of a queue */
static unsigned
queue_slots(const struct queue_config *config)
{
	return config->size / (config->indirect ? 1U : config->segments);
}

uint64_t
queue_bytes(const struct queue_config *config)
{
	uint64_t slots = queue_slots(config);
	uint64_t rings = config->size * (sizeof(struct split_desc) + sizeof(uint16_t) +
						sizeof(struct split_used_elem));
	uint64_t tables =
		config->indirect ? slots * config->segments * sizeof(struct split_desc) : 0;

	return rings + tables + slots * queue_stride(config) + 5 * VRING_ALIGN;
}

/** Allocate the rings in guest memory. */
static int
queue_take_rings(struct queue *queue, struct memory *memory)
{
	uint64_t size = queue->config.size;
	void *first = memory_take(memory, size * sizeof(struct split_desc), VRING_ALIGN);
	void *second = memory_take(
		memory, sizeof(struct split_avail) + (size + 1) * sizeof(uint16_t), VRING_ALIGN);
	void *third = memory_take(memory,
		sizeof(struct split_used) + size * sizeof(struct split_used_elem) +
			sizeof(uint16_t),
		VRING_ALIGN);

	queue->desc = first;
	queue->avail_ring = second;
	queue->used_ring = third;
	queue->pdesc = first;
	queue->driver_event = second;
	queue->device_event = third;
	return first != NULL && second != NULL && third != NULL ? 0 : -ENOMEM;
}

/** Allocate buffers and indirect tables in guest memory. */
static int
queue_take_buffers(struct queue *queue, struct memory *memory)
{
	uint64_t pieces = (uint64_t)queue->slots * queue->config.segments;

	if (queue->config.indirect) {
		queue->tables =
			memory_take(memory, pieces * sizeof(struct split_desc), VRING_ALIGN);
		if (queue->tables == NULL)
			return -ENOMEM;
		queue->tables_gpa = memory_gpa(memory, queue->tables);
	}
	queue->data = memory_take(memory, (uint64_t)queue->slots * queue->stride, LINE);
	if (queue->data == NULL)
		return -ENOMEM;
	queue->data_gpa = memory_gpa(memory, queue->data);
	return 0;
}

/** Allocate the state of slots in memory of this program. */
static int
queue_take_lists(struct queue *queue)
{
	size_t slots = queue->slots;

	queue->free = calloc(slots, sizeof(*queue->free));
	queue->done = calloc(slots, sizeof(*queue->done));
	queue->in_flight = calloc(slots, sizeof(*queue->in_flight));
	queue->lengths = calloc(slots, sizeof(*queue->lengths));
	queue->pieces = calloc(slots * queue->config.segments, sizeof(*queue->pieces));
	queue->words = calloc(slots * queue->entries, sizeof(*queue->words));
	return queue->free != NULL && queue->done != NULL && queue->in_flight != NULL &&
			       queue->lengths != NULL && queue->pieces != NULL &&
			       queue->words != NULL
		       ? 0
		       : -ENOMEM;
}

int
queue_open(struct queue *queue, const struct queue_config *config, struct memory *memory)
{
	*queue = (struct queue){.config = *config, .kickfd = -1, .callfd = -1};
	queue->entries = config->indirect ? 1 : config->segments;
	queue->slots = (uint16_t)queue_slots(config);
	queue->slot_mask = (uint16_t)(queue->slots - 1);
	queue->slot_shift = (uint16_t)__builtin_ctz(queue->slots);
	queue->stride = queue_stride(config);
	if (queue_take_rings(queue, memory) != 0 || queue_take_buffers(queue, memory) != 0 ||
		queue_take_lists(queue) != 0) {
		queue_close(queue);
		return -ENOMEM;
	}
	for (unsigned slot = 0; slot < queue->slots; slot++)
		queue->lengths[slot] = config->slot_bytes;
	queue_reset(queue);
	return 0;
}

void
queue_reset(struct queue *queue)
{
	queue->avail = 0;
	queue->used = 0;
	queue->kicked = 0;
	queue->ordered = true;
	queue->broken = false;
	queue->n_free = 0;
	memset(queue->in_flight, 0, queue->slots);
	if (queue->config.packed)
		queue_packed_reset(queue);
	else
		queue_split_reset(queue);
	for (unsigned slot = 0; slot < queue->slots; slot++)
		queue_set_length(queue, slot, queue->lengths[slot]);
}

void
queue_close(struct queue *queue)
{
	free(queue->free);
	free(queue->done);
	free(queue->in_flight);
	free(queue->lengths);
	free(queue->pieces);
	free(queue->words);
	*queue = (struct queue){.kickfd = -1, .callfd = -1};
}

void
queue_set_length(struct queue *queue, unsigned slot, uint32_t bytes)
{
	unsigned n = queue->config.segments, first = queue->config.header;
	uint32_t at = 0, body = bytes - first, parts = first != 0 ? n - 1 : n;
	struct queue_piece *pieces = &queue->pieces[slot * n];

	for (unsigned i = 0; i < n; i++) {
		uint32_t length = i + 1 == n             ? bytes - at
				  : i == 0 && first != 0 ? first
							 : body / parts;

		pieces[i] = (struct queue_piece){queue_data_gpa(queue, slot) + at, length};
		at += length;
	}
	queue->lengths[slot] = bytes;
	if (queue->config.packed)
		queue_packed_lay(queue, slot);
	else
		queue_split_lay(queue, slot);
}

unsigned
queue_poll(struct queue *queue, unsigned max)
{
	if (queue->broken)
		return 0;
	return queue->config.packed ? queue_packed_poll(queue, max) : queue_split_poll(queue, max);
}

void
queue_consume(struct queue *queue, unsigned n)
{
	if (!queue->ordered && !queue_general_free(queue, n)) {
		queue->broken = true;
		return;
	}
	queue->used = (uint16_t)(queue->used + n);
}

void
queue_post(struct queue *queue, unsigned n)
{
	if (queue->config.packed)
		queue_packed_post(queue, n);
	else
		queue_split_post(queue, n);
}

void
queue_kick(struct queue *queue)
{
	uint64_t one = 1;

	/* If the eventfd's counter is full, a kick is pending anyway. */
	if (queue->kickfd >= 0 && write(queue->kickfd, &one, sizeof(one)) < 0)
		return;
}

/*
 * No fence between a post and the read of the back end's notification suppression: a stale value is
 * read again in the next call, by when the post is visible. A driver that sleeps needs the fence.
 */
void
queue_notify(struct queue *queue)
{
	bool wanted;

	if (queue->kicked == queue->avail)
		return;
	wanted = queue->config.packed ? queue_packed_wants_kick(queue)
				      : queue_split_wants_kick(queue);
	if (wanted) {
		queue->kicked = queue->avail;
		queue_kick(queue);
	} else if ((uint16_t)(queue->avail - queue->kicked) > queue->slots) {
		/* Posts more than a ring ago were taken. Keeps 16-bit counts comparable. */
		queue->kicked = (uint16_t)(queue->avail - queue->slots);
	}
}

/** @return base (SET_VRING_BASE) that a count of slots corresponds to */
static uint32_t
queue_base_of(const struct queue *queue, uint16_t count)
{
	uint32_t base = count;

	if (!queue->config.packed)
		return base;
	base = queue_entry(queue, count) | (~((uint32_t)count >> queue->slot_shift) & 1) << 15;
	return base | base << 16;
}

uint32_t
queue_base(const struct queue *queue)
{
	return queue_base_of(queue, queue->used);
}

bool
queue_agrees(struct queue *queue, uint32_t base)
{
	uint16_t completed = (uint16_t)(queue->used + queue_poll(queue, queue->slots));

	/* A back end may leave the used half of a packed ring's base 0. */
	return (queue_base_of(queue, completed) & 0xffff) == (base & 0xffff);
}
