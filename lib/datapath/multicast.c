/* SPDX-License-Identifier: BSD-3-Clause */
/* The multicast stage: IGMP and MLD snooping (RFC 4541 section 2.1). */
#include "base/mac.h"
#include "datapath/worker.h"
#include "snoop/look.h"

/** Copy a message to the control thread. Reflected ones were copied when the member sent them. */
static void
multicast_note(struct worker *worker, const struct snapshot *snapshot, const struct frame *frame)
{
	struct burst *burst = &worker->burst;
	uint32_t len = frame->len - frame->l2_len;

	if (worker->trace_only || burst->source_port[frame - burst->frame] != burst->port)
		return;
	struct snoop_ring *ring = snapshot->rings[worker->lcore_id];
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

/** Destination of a multicast frame. */
static uint16_t
multicast_frame(struct worker *worker, const struct snapshot *snapshot, const struct frame *frame)
{
	const struct snoop_table *table = snapshot->groups;
	uint16_t l2_len = frame->l2_len, set = SNOOP_EVERYBODY;
	struct snoop_ip group;

	switch (snoop_look(frame->head + l2_len, frame->head_len - l2_len,
		frame_be16(frame->head + l2_len - 2), &group)) {
	case SNOOP_LOOK_PLAIN:
		return DEST_MULTICAST;
	case SNOOP_LOOK_SIGNAL:
		multicast_note(worker, snapshot, frame);
		return DEST_MULTICAST;
	case SNOOP_LOOK_REPORT:
		multicast_note(worker, snapshot, frame);
		set = snoop_table_routers(table, frame->vlan, &group);
		break;
	case SNOOP_LOOK_DATA:
		set = snoop_table_find(table, frame->vlan, &group);
		break;
	}
	return set == SNOOP_EVERYBODY ? DEST_MULTICAST : (uint16_t)(DEST_GROUP + set);
}

/** Copy messages of a port with a fixed destination, which stays as it is. */
static void
multicast_listen(struct worker *worker, const struct snapshot *snapshot)
{
	const struct burst *burst = &worker->burst;

	for (unsigned i = 0; i < burst->n; i++)
		if (burst->dest[i] < PORT_MAX && mac_is_group(mac_load(burst->frame[i].head)))
			multicast_frame(worker, snapshot, &burst->frame[i]);
}

void
multicast_burst(struct worker *worker, const struct snapshot *snapshot)
{
	struct burst *burst = &worker->burst;

	if (snapshot->rules[burst->port]->fixed != PORT_NONE) {
		multicast_listen(worker, snapshot);
		return;
	}
	for (unsigned i = 0; i < burst->n; i++)
		if (burst->dest[i] == DEST_MULTICAST)
			burst->dest[i] = multicast_frame(worker, snapshot, &burst->frame[i]);
}
