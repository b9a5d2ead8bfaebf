/* SPDX-License-Identifier: BSD-3-Clause */
/* State of snooping: messages from polling lcores become the group table of snapshots. */
#include <time.h>

#include "control/vswitch.h"
#include "features/snooping/keys.h"

uint64_t
vswitch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
vswitch_snoop_collect(struct vswitch_snoop *snoop, unsigned lcores)
{
	uint64_t now = vswitch_now_ms();
	const struct snoop_copy *copy;

	for (unsigned lcore_id = 0; lcore_id < lcores; lcore_id++) {
		struct snoop_ring *ring = snoop->ring[lcore_id];
		for (int i = 0; i < SNOOP_RING_SLOTS; i++) {
			copy = snoop_ring_front(ring);
			if (copy == NULL)
				break;
			groups_receive(snoop->groups, now, copy->port, copy->vlan, copy->bytes,
				copy->len, copy->ipv6);
			snoop_ring_pop(ring);
		}
	}
}

void
vswitch_snoop_forget(struct vswitch *vswitch, uint16_t port)
{
	struct vswitch_snoop *snoop = &vswitch->snoop;

	if (snoop->groups == NULL)
		return;
	/* Process queued messages first: they were received before this call. */
	vswitch_snoop_collect(snoop, vswitch->services.lcores);
	groups_forget_port(snoop->groups, port);
}

void
vswitch_snoop_prepare(struct vswitch *vswitch)
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct port *port = vswitch->by_id[id];
		struct snooping_config config = {.mcast_router = SNOOP_ROUTER_AUTO};
		if (port != NULL) {
			port->snooped = vswitch->snoop.groups != NULL;
			config = *snooping_config(&port->config);
		}
		if (vswitch->snoop.groups != NULL)
			groups_set_port(vswitch->snoop.groups, id, config.fast_leave,
				(int)config.mcast_router);
	}
}

bool
vswitch_snoop_fill(struct vswitch *vswitch, struct snapshot *snapshot)
{
	if (vswitch->snoop.groups == NULL)
		return true;
	snapshot->rings = vswitch->snoop.ring;
	snapshot->groups = groups_table(vswitch->snoop.groups);
	return snapshot->groups != NULL;
}

uint64_t
vswitch_snoop_lost(const struct vswitch *vswitch)
{
	uint64_t lost = 0;

	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		if (vswitch->snoop.ring[lcore_id] != NULL)
			lost += spsc_lost(&vswitch->snoop.ring[lcore_id]->spsc);
	return lost;
}
