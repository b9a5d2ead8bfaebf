/* SPDX-License-Identifier: BSD-3-Clause */
/* Flood: sends frames by reference to all ports but the rx port that take such floods. */
#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

const struct snapshot_flood *
flood_targets(const struct snapshot *snapshot, uint16_t kind)
{
	if (kind == DEST_UNKNOWN)
		return &snapshot->flood[FLOOD_UNKNOWN];
	return &snapshot->flood[kind == DEST_MULTICAST ? FLOOD_MULTICAST : FLOOD_BROADCAST];
}

void
flood_frames(struct burst_context *context, uint16_t kind, uint32_t mask)
{
	const struct snapshot_flood *flood = flood_targets(context->snapshot, kind);
	uint16_t from = context->burst.port, copies = 0;
	struct counters *counters = &context->counters[from];
	struct frame *frames[FRAME_BURST];
	uint16_t n = burst_frames(&context->burst, mask, frames);

	for (uint16_t i = 0; i < flood->n; i++)
		copies += flood->port[i] != from;
	if (copies == 0) {
		burst_drop(context, DROP_NO_TARGET, frames, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->mbuf != NULL)
			rte_pktmbuf_refcnt_update(frames[i]->mbuf, (int16_t)(copies - 1));
	counters->rx_forwarded += n;
	counters->rx_copies += (uint64_t)n * copies;
	for (uint16_t i = 0; i < flood->n; i++)
		if (flood->port[i] != from)
			output_frames(context, flood->port[i], frames, n, false);
}
