/* SPDX-License-Identifier: BSD-3-Clause */
/* Filtered flood: selects the target ports of all frames, then sends the frames. */
#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

/** Target ports of a flood, with the frames that each gets. */
struct flood_selection {
	const struct snapshot_flood *flood;
	const struct snoop_set *members; /**< ports of a group; NULL = not restricted to a group */
	uint32_t selected[PORT_MAX];     /**< by index of the targets: a bit for each frame */
	uint16_t copies[FRAME_BURST];    /**< by frame of the burst */
};

/** Select the frames that a target port gets. @return a bit for each frame of the burst */
static uint32_t
flood_select_for_port(const struct flood_selection *selection, const struct burst_context *context,
	uint16_t port, uint32_t frames)
{
	const struct egress_filter *filter = context->snapshot->target[port].filters;

	if (port == context->burst.port ||
		(selection->members != NULL && !snoop_set_has(selection->members, port)))
		return 0;
	for (; filter != NULL && filter->run != NULL && frames != 0; filter++)
		frames = filter->run(context, filter->state, frames);
	return frames;
}

/** Select the frames for all target ports, and count the copies of each frame. */
static void
flood_select(
	struct flood_selection *selection, const struct burst_context *context, uint32_t frames)
{
	for (uint16_t p = 0; p < selection->flood->n; p++) {
		uint32_t selected = flood_select_for_port(
			selection, context, selection->flood->port[p], frames);

		selection->selected[p] = selected;
		for (; selected != 0; selected &= selected - 1)
			selection->copies[__builtin_ctz(selected)]++;
	}
}

/** Add a reference for each further copy, count the copies, and drop frames without a target. */
static void
flood_account(
	const struct flood_selection *selection, struct burst_context *context, uint32_t frames)
{
	struct counters *counters = &context->counters[context->burst.port];
	struct frame *lost[FRAME_BURST];
	uint16_t n_lost = 0;

	for (; frames != 0; frames &= frames - 1) {
		unsigned i = (unsigned)__builtin_ctz(frames);
		struct rte_mbuf *mbuf = context->burst.frame[i].mbuf;
		uint16_t copies = selection->copies[i];
		if (copies == 0) {
			lost[n_lost++] = &context->burst.frame[i];
			continue;
		}
		if (mbuf != NULL && copies > 1)
			rte_pktmbuf_refcnt_update(mbuf, (int16_t)(copies - 1));
		counters->rx_forwarded++;
		counters->rx_copies += copies;
	}
	if (n_lost > 0)
		burst_drop(context, selection->members != NULL ? DROP_NO_MEMBER : DROP_NO_TARGET,
			lost, n_lost);
}

/** Send the selected frames by each target port. */
static void
flood_send(const struct flood_selection *selection, struct burst_context *context)
{
	for (uint16_t p = 0; p < selection->flood->n; p++) {
		struct frame *list[FRAME_BURST];
		uint16_t n = burst_frames(&context->burst, selection->selected[p], list);

		if (n > 0)
			output_frames(context, selection->flood->port[p], list, n, false);
	}
}

void
flood_filtered(struct burst_context *context, uint16_t kind, uint32_t frames)
{
	const struct snapshot *snapshot = context->snapshot;
	struct flood_selection selection = {
		.flood = flood_targets(snapshot, kind),
		.members = kind < DEST_DROP ? &snapshot->groups->sets[kind - DEST_GROUP] : NULL,
	};

	flood_select(&selection, context, frames);
	flood_account(&selection, context, frames);
	flood_send(&selection, context);
}
