/* SPDX-License-Identifier: BSD-3-Clause */
/* Filtered flood, where ports have rules: all targets are selected before any frame is sent. */
#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

struct selection {
	const struct snapshot *snapshot;
	const struct rules *from;
	uint16_t kind;
	const struct snoop_set *members; /**< ports of a group; NULL = not restricted to a group */
	const struct burst *burst;
	struct frame *const *frames;
	uint16_t n;
	uint32_t leaves[PORT_MAX]; /**< by index of the targets: a bit for each frame */
	uint16_t copies[FRAME_BURST];
};

/** Whether a port is a target, apart from the VLAN and source port of each frame. */
static bool
selection_of_port(const struct selection *selection, const struct rules *to)
{
	if (!rules_may_forward(selection->from, to->policy.port))
		return false;
	if (selection->members != NULL)
		return snoop_set_has(selection->members, to->policy.port);
	if (selection->kind == DEST_UNKNOWN)
		return to->flood;
	return selection->kind != DEST_MULTICAST || to->mcast_flood;
}

static bool
selection_of_frame(const struct selection *selection, const struct rules *to, uint16_t vlan,
	uint16_t source_port)
{
	if (!vlan_carries(&to->vlan, vlan))
		return false;
	return source_port == selection->from->policy.port ||
	       policy_reflective_relay(
		       &selection->snapshot->rules[source_port]->policy, &to->policy);
}

static uint32_t
selection_for(struct selection *selection, const struct rules *to)
{
	bool leaves = false;
	uint32_t mask = 0;

	for (uint16_t i = 0; i < selection->n; i++) {
		const struct frame *frame = selection->frames[i];
		uint16_t source_port =
			selection->burst->source_port[frame - selection->burst->frame];
		/* Most bursts have one VLAN and one source port. */
		if (i == 0 || frame->vlan != selection->frames[i - 1]->vlan ||
			source_port != selection->burst->source_port[selection->frames[i - 1] -
								     selection->burst->frame])
			leaves = selection_of_frame(selection, to, frame->vlan, source_port);
		if (!leaves)
			continue;
		mask |= UINT32_C(1) << i;
		selection->copies[i]++;
	}
	return mask;
}

static void
selection_make(struct selection *selection)
{
	const struct snapshot_flood *all = &selection->snapshot->flood[SNAPSHOT_BROADCAST];

	for (uint16_t p = 0; p < all->n; p++) {
		const struct rules *to = selection->snapshot->rules[all->port[p]];
		selection->leaves[p] =
			selection_of_port(selection, to) ? selection_for(selection, to) : 0;
	}
}

/** Take the references, count the copies, and drop frames without a target. */
static void
selection_account(struct selection *selection, struct burst_context *context)
{
	struct counters *counters = &context->counters[context->burst.port];
	struct frame *lost[FRAME_BURST];
	uint16_t n_lost = 0;

	for (uint16_t i = 0; i < selection->n; i++) {
		struct rte_mbuf *mbuf = selection->frames[i]->mbuf;
		uint16_t copies = selection->copies[i];
		if (copies == 0) {
			lost[n_lost++] = selection->frames[i];
			continue;
		}
		if (mbuf != NULL && copies > 1)
			rte_pktmbuf_refcnt_update(mbuf, (int16_t)(copies - 1));
		counters->rx_copies += copies;
	}
	counters->rx_forwarded += selection->n - n_lost;
	if (n_lost > 0)
		burst_drop(context, selection->members != NULL ? DROP_NO_MEMBER : DROP_NO_TARGET,
			lost, n_lost);
}

static void
selection_send(const struct selection *selection, struct burst_context *context)
{
	const struct snapshot_flood *all = &selection->snapshot->flood[SNAPSHOT_BROADCAST];

	for (uint16_t p = 0; p < all->n; p++) {
		struct frame *group[FRAME_BURST];
		uint16_t n = 0;

		for (uint32_t rest = selection->leaves[p]; rest != 0; rest &= rest - 1)
			group[n++] = selection->frames[__builtin_ctz(rest)];
		if (n > 0)
			output_frames(context, all->port[p], group, n);
	}
}

void
flood_filtered(
	struct burst_context *context, uint16_t kind, struct frame *const frames[], uint16_t n)
{
	const struct snapshot *snapshot = context->snapshot;
	struct selection selection = {
		.snapshot = snapshot,
		.from = snapshot->rules[context->burst.port],
		.kind = kind,
		.members = kind < DEST_DROP ? &snapshot->groups->sets[kind - DEST_GROUP] : NULL,
		.burst = &context->burst,
		.frames = frames,
		.n = n,
	};

	selection_make(&selection);
	selection_account(&selection, context);
	selection_send(&selection, context);
}
