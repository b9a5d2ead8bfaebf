/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers of popped frames go back to the guest, where some of them are still read by devices. */
#include "vring/vring_internal.h"

enum { SETTLE_BURST = 64 };

static void
settle_use(struct virtq *ring, const uint16_t heads[], uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		virtq_use_next(ring, heads[i], 0);
}

static void
settle_collect(struct virtq *ring)
{
	uint16_t heads[SETTLE_BURST], before = ring->last_used, n;

	do {
		n = hold_collect(ring->hold, heads, SETTLE_BURST);
		settle_use(ring, heads, n);
	} while (n == SETTLE_BURST);
	if (ring->last_used != before)
		virtq_publish(ring);
}

void
virtq_settle(struct virtq *ring, const struct virtq_batch *batch)
{
	uint16_t taken = batch != NULL ? batch->taken : 0;

	for (uint16_t i = 0; i < taken; i++)
		hold_enter(ring->hold, i, batch->chain[i]);
	ring->last_avail = (uint16_t)(ring->last_avail + taken);
	settle_collect(ring);
}

void
virtq_pop_end(struct virtq *ring)
{
	uint16_t heads[SETTLE_BURST], n;

	if (ring->hold == NULL || hold_is_empty(ring->hold))
		return;
	settle_collect(ring);
	do {
		n = hold_give_up(ring->hold, heads, SETTLE_BURST);
		settle_use(ring, heads, n);
	} while (n == SETTLE_BURST);
	ring->last_avail = (uint16_t)(ring->last_avail - hold_rewind(ring->hold));
	if (ring->journal != NULL)
		ring->journal->taken = ring->last_avail;
	virtq_publish(ring);
}
