/* SPDX-License-Identifier: BSD-3-Clause */
/* The egress stage: frames get the tags that they leave with. Ports without such rules skip it. */
#include "datapath/worker.h"

static void
egress_flush(struct worker *worker, const struct snapshot_target *target, struct frame *out[],
	uint16_t n, struct counters *counters)
{
	if (n > 0)
		tx_driver(worker, target, out, n, counters);
	retag_done(&worker->room);
}

void
egress_frames(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	const struct vlan_rules *rules = &target->retags->vlan;
	struct frame *out[FRAME_BURST];
	uint16_t ready = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct frame *frame = frames[i];
		if (!retag_is_needless(rules, frame)) {
			frame = retag_frame(&worker->room, rules, frames[i]);
			if (frame == NULL && ready > 0) {
				egress_flush(worker, target, out, ready, counters);
				ready = 0;
				frame = retag_frame(&worker->room, rules, frames[i]);
			}
		}
		if (frame != NULL) {
			out[ready++] = frame;
			continue;
		}
		/* In more pieces than any driver takes. */
		counters->tx_drops[DROP_NO_MEMORY]++;
		rte_pktmbuf_free(frames[i]->mbuf);
	}
	egress_flush(worker, target, out, ready, counters);
}
