/* SPDX-License-Identifier: BSD-3-Clause */
/* Flood: frames leave by every other port that is up and takes such floods, by reference. */
#include "base/mac.h"
#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

static void
flood_to(struct burst_context *context, const struct snapshot_flood *flood,
	struct frame *const frames[], uint16_t n)
{
	uint16_t from = context->burst.port, copies = 0;
	struct counters *counters = &context->counters[from];

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
			output_frames(context, flood->port[i], frames, n);
}

static unsigned
flood_kind(const struct frame *frame)
{
	uint64_t mac = mac_load(frame->head);

	if (!mac_is_group(mac))
		return SNAPSHOT_UNKNOWN;
	return mac == MAC_MASK ? SNAPSHOT_BROADCAST : SNAPSHOT_MULTICAST;
}

void
flood_frames(struct burst_context *context, struct frame *const frames[], uint16_t n)
{
	const struct snapshot *snapshot = context->snapshot;

	if (likely(!snapshot->floods_differ)) {
		flood_to(context, &snapshot->flood[SNAPSHOT_BROADCAST], frames, n);
		return;
	}
	/* As in forward_burst(): groups in the order of their first frames. */
	uint32_t left = (uint32_t)((UINT64_C(1) << n) - 1);
	while (left != 0) {
		unsigned kind = flood_kind(frames[__builtin_ctz(left)]);
		struct frame *group[FRAME_BURST];
		uint16_t in_group = 0;

		for (uint32_t rest = left; rest != 0; rest &= rest - 1) {
			unsigned i = (unsigned)__builtin_ctz(rest);
			if (flood_kind(frames[i]) != kind)
				continue;
			group[in_group++] = frames[i];
			left &= ~(UINT32_C(1) << i);
		}
		flood_to(context, &snapshot->flood[kind], group, in_group);
	}
}
