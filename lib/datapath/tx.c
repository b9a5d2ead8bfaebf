/* SPDX-License-Identifier: BSD-3-Clause */
/* The tx stage: hand frames to the driver of the port they leave by. */
#include "datapath/worker.h"

static bool
tx_fits(const struct frame *frame, uint32_t max_len)
{
	return frame_wire_len(frame) <= max_len + frame->l2_len - FRAME_ETH_LEN;
}

/** Keep the frames that fit; drop and count the others. @return how many stay */
static uint16_t
tx_drop_long(const struct snapshot_target *target, struct frame *const frames[], uint16_t n,
	struct frame *fitting[], struct counters *counters)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (likely(tx_fits(frames[i], target->max_len))) {
			fitting[kept++] = frames[i];
			continue;
		}
		counters->tx_drops[DROP_TOO_LONG]++;
		rte_pktmbuf_free(frames[i]->mbuf);
	}
	return kept;
}

void
tx_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n)
{
	const struct snapshot_target *target = &snapshot->target[port];
	struct counters *counters = &worker->counters[port];
	struct frame *fitting[FRAME_BURST];

	if (unlikely(target->tx == NULL)) {
		counters->tx_drops[DROP_LINK_DOWN] += n;
		frame_free(frames, n);
		return;
	}
	n = tx_drop_long(target, frames, n, fitting, counters);
	if (unlikely(target->retags != NULL))
		egress_frames(worker, target, fitting, n, counters);
	else if (n > 0)
		tx_driver(worker, target, fitting, n, counters);
}
