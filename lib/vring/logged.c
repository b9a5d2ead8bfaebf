/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts of rings with a dirty log: they report what they write to guest memory. */
#include "vring/logged.h"

#include "vring/packed_push.h"
#include "vring/split_push.h"

/** Report n entries of a ring from an index on, continued at index 0, to the dirty log. */
static void
logged_mark_entries(
	const struct virtq *ring, const void *entries, size_t size, uint32_t from, uint32_t n)
{
	uint32_t space = (uint32_t)ring->mask + 1 - from, before_end = n < space ? n : space;

	dirty_log_mark(ring->dirty_log, ring->memory, (const uint8_t *)entries + from * size,
		before_end * size);
	dirty_log_mark(ring->dirty_log, ring->memory, entries, (n - before_end) * size);
}

void
virtq_logged_mark_used(const struct virtq *ring, uint16_t from)
{
	const struct vring_used *used = ring->used;
	uint16_t to = ring->last_used;

	if (ring->dirty_log == NULL || from == to)
		return;
	if (ring->packed) {
		uint32_t n = virtq_packed_distance((uint32_t)ring->mask + 1, from, to);
		logged_mark_entries(ring, ring->packed_desc, sizeof(ring->packed_desc[0]),
			virtq_packed_index(from), n);
		return;
	}
	logged_mark_entries(
		ring, used->ring, sizeof(used->ring[0]), from & ring->mask, (uint16_t)(to - from));
	dirty_log_mark(ring->dirty_log, ring->memory, &used->idx, sizeof(used->idx));
}

/** push_run_fn that leaves every frame to push_buffers(), which reports what it writes. */
static uint16_t
logged_push_run(struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes)
{
	(void)ring;
	(void)frames;
	(void)n;
	(void)bytes;
	return 0;
}

uint16_t
virtq_logged_push(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	uint16_t from = ring->last_used, done;

	if (ring->packed) {
		done = push_frames(ring, frames, n, (uint32_t)ring->mask + 1, logged_push_run,
			packed_push_chains, result);
	} else {
		done = push_frames(ring, frames, n, virtq_split_available(ring), logged_push_run,
			split_push_chains, result);
		if (ring->last_used != from)
			virtq_split_publish(ring);
	}
	virtq_logged_mark_used(ring, from);
	return done;
}

void
virtq_logged_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	uint16_t from = ring->last_used;

	if (ring->packed)
		virtq_packed_pop_done(ring, batch);
	else
		virtq_split_pop_done(ring, batch);
	virtq_logged_mark_used(ring, from);
}
