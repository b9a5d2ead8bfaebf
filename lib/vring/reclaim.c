/* SPDX-License-Identifier: BSD-3-Clause */
/* Returns buffers of popped frames to the guest while others are still in flight. */
#include "vring/logged.h"
#include "vring/split.h"

enum { RECLAIM_BURST = 64 };

/** Write buffers to the used ring. */
static void
reclaim_use(struct virtq *ring, const uint16_t heads[], uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		virtq_split_use_next(ring, heads[i], 0);
}

/** Return the buffers that devices have finished reading, and those that waited for them. */
static void
reclaim_collect(struct virtq *ring)
{
	uint16_t heads[RECLAIM_BURST], before = ring->last_used, n;

	do {
		n = inflight_reclaim(ring->inflight, heads, RECLAIM_BURST);
		reclaim_use(ring, heads, n);
	} while (n == RECLAIM_BURST);
	if (ring->last_used != before)
		virtq_split_publish(ring);
	virtq_logged_mark_used(ring, before);
}

void
virtq_reclaim(struct virtq *ring, const struct virtq_batch *batch)
{
	uint16_t popped = batch != NULL ? batch->popped : 0;

	for (uint16_t i = 0; i < popped; i++)
		inflight_append(ring->inflight, i, batch->chain[i]);
	ring->last_avail = (uint16_t)(ring->last_avail + popped);
	reclaim_collect(ring);
}

void
virtq_pop_end(struct virtq *ring)
{
	uint16_t heads[RECLAIM_BURST], before, n;

	if (ring->inflight == NULL || inflight_is_empty(ring->inflight))
		return;
	reclaim_collect(ring);
	before = ring->last_used;
	do {
		n = inflight_drop_late(ring->inflight, heads, RECLAIM_BURST);
		reclaim_use(ring, heads, n);
	} while (n == RECLAIM_BURST);
	ring->last_avail = (uint16_t)(ring->last_avail - inflight_drop_entries(ring->inflight));
	if (ring->journal != NULL)
		ring->journal->burst_end = ring->last_avail;
	virtq_split_publish(ring);
	virtq_logged_mark_used(ring, before);
}
