/* SPDX-License-Identifier: BSD-3-Clause */
/* The split by destination: one call to the next stage for each destination in a burst. */
#include "datapath/worker.h"

static void
forward_group(struct worker *worker, const struct snapshot *snapshot, uint16_t dest,
	struct frame *const frames[], uint16_t n)
{
	if (dest < PORT_MAX) {
		struct counters *counters = &worker->counters[worker->burst.port];
		counters->rx_forwarded += n;
		counters->rx_copies += n;
		tx_frames(worker, snapshot, dest, frames, n);
	} else if (dest >= DEST_FLOODS) {
		if (likely(!snapshot->selects))
			flood_frames(worker, snapshot, frames, n);
		else
			flood_selected(worker, snapshot, dest, frames, n);
	} else if (dest >= DEST_DROP) {
		rx_drop(worker, dest - DEST_DROP, frames, n);
	} else {
		flood_selected(worker, snapshot, dest, frames, n);
	}
}

/*
 * Groups leave in the order of their first frames, and frames of a group in the order they came,
 * so that no flow is reordered.
 */
void
forward_burst(struct worker *worker, const struct snapshot *snapshot)
{
	struct burst *burst = &worker->burst;
	struct frame *group[FRAME_BURST];
	uint32_t left = (uint32_t)((UINT64_C(1) << burst->n) - 1);

	while (left != 0) {
		uint16_t dest = burst->dest[__builtin_ctz(left)];
		uint16_t n = 0;

		for (uint32_t rest = left; rest != 0; rest &= rest - 1) {
			unsigned i = (unsigned)__builtin_ctz(rest);
			if (burst->dest[i] != dest)
				continue;
			group[n++] = &burst->frame[i];
			left &= ~(UINT32_C(1) << i);
		}
		forward_group(worker, snapshot, dest, group, n);
	}
}

_Static_assert(FRAME_BURST <= 32, "the mask of frames left has 32 bits");
