/* SPDX-License-Identifier: BSD-3-Clause */
/* Snooping: sends multicast frames to the ports of their group only (RFC 4541 section 2.1). */
#include <errno.h>

#include "base/mac.h"
#include "datapath/feature.h"
#include "datapath/snapshot.h"
#include "features/snooping/keys.h"
#include "features/snooping/state.h"
#include "snoop/classify.h"

/**
 * Copy a message to the control thread. A message that an uplink reflects was copied when the
 * member sent it.
 */
static void
snooping_copy(
	struct burst_context *context, const struct snooping *snooping, const struct frame *frame)
{
	struct burst *burst = &context->burst;
	uint32_t len = frame->len - frame->l2_len;

	if (context->trace_only || burst->source_port[frame - burst->frame] != burst->port)
		return;
	struct snoop_ring *ring = snooping->ring[context->lcore_id];
	struct snoop_copy *copy = snoop_ring_space(ring, burst->port);
	if (copy == NULL)
		return;
	/* A truncated message is invalid: the control thread counts it. */
	copy->len = (uint16_t)RTE_MIN(len, (uint32_t)SNOOP_PACKET_MAX);
	copy->port = burst->port;
	copy->vlan = frame->vlan;
	copy->ipv6 = frame->head[frame->l2_len] >> 4 == 6;
	frame_read(frame, frame->l2_len, copy->bytes, copy->len);
	snoop_ring_push(ring);
}

/** Classify a multicast frame, and copy IGMP, MLD and PIM messages. @return its destination */
static uint16_t
snooping_classify(
	struct burst_context *context, const struct snooping *snooping, const struct frame *frame)
{
	const struct snoop_table *table = context->snapshot->groups;
	uint16_t l2_len = frame->l2_len, set = SNOOP_NO_SET;
	struct snoop_ip group;

	switch (snoop_classify(frame->head + l2_len, frame->head_len - l2_len,
		frame_be16(frame->head + l2_len - 2), &group)) {
	case SNOOP_CLASS_FLOOD:
		return DEST_MULTICAST;
	case SNOOP_CLASS_ROUTER:
		snooping_copy(context, snooping, frame);
		return DEST_MULTICAST;
	case SNOOP_CLASS_REPORT:
		snooping_copy(context, snooping, frame);
		set = snoop_table_routers(table, frame->vlan, &group);
		break;
	case SNOOP_CLASS_DATA:
		set = snoop_table_find(table, frame->vlan, &group);
		break;
	}
	return set == SNOOP_NO_SET ? DEST_MULTICAST : (uint16_t)(DEST_GROUP + set);
}

/** Copy the messages of a port with a fixed destination, and leave the destinations as they are. */
static void
snooping_copy_only(struct burst_context *context, const struct snooping *snooping)
{
	const struct burst *burst = &context->burst;

	for (unsigned i = 0; i < burst->n; i++)
		if (burst->dest[i] < PORT_MAX && mac_is_group(mac_load(burst->frame[i].head)))
			snooping_classify(context, snooping, &burst->frame[i]);
}

/** Set the destination of multicast frames to their group. */
static void
snooping_ingress(struct burst_context *context, const void *state)
{
	const struct snooping *snooping = state;
	struct burst *burst = &context->burst;

	if (context->classify.decided) {
		snooping_copy_only(context, snooping);
		return;
	}
	for (unsigned i = 0; i < burst->n; i++)
		if (burst->dest[i] == DEST_MULTICAST)
			burst->dest[i] = snooping_classify(context, snooping, &burst->frame[i]);
}

/** Pass the keys of ports to the groups, and the groups to the snapshot. */
static int
snooping_begin(const struct feature_switch *input, void **shared)
{
	struct snooping *snooping = input->state;

	(void)shared;
	if (snooping == NULL)
		return 0;
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct snooping_config config = {.mcast_router = SNOOP_ROUTER_AUTO};
		if (input->ports[id] != NULL)
			config = *snooping_config(&input->ports[id]->config);
		groups_set_port(snooping->groups, id, config.fast_leave, (int)config.mcast_router);
	}
	input->snapshot->groups = groups_table(snooping->groups);
	return input->snapshot->groups != NULL ? 1 : -ENOMEM;
}

static int
snooping_compile(const struct feature_input *input, struct feature_stages *stages)
{
	stages->ingress[INGRESS_FRAMES] =
		(struct ingress_stage){.run = snooping_ingress, .state = input->switch_state};
	return 0;
}

/** Forget the members and routers at a port. The next tick publishes this. */
static void
snooping_forget(void *state, uint16_t port)
{
	struct snooping *snooping = state;

	/* Process queued messages first: they were received before this call. */
	snooping_collect(snooping);
	groups_forget_port(snooping->groups, port);
}

static bool
snooping_trace(const struct feature_trace *traced)
{
	uint16_t dest = traced->trace->dest;

	if (dest != DEST_DROP + DROP_NO_MEMBER && (dest < DEST_GROUP || dest >= DEST_DROP))
		return false;
	traced->explain(traced->arg, "lookup", "to members of the group and routers: snooping");
	return true;
}

const struct feature snooping_feature = {
	.name = "snooping",
	.begin = snooping_begin,
	.compile = snooping_compile,
	.forget = snooping_forget,
	.trace_target = snooping_trace,
};
