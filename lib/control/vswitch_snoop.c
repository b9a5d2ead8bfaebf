/* SPDX-License-Identifier: BSD-3-Clause */
/* Snooping: IGMP and MLD messages from polling lcores become the group table of snapshots. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include "base/log.h"
#include "control/vswitch.h"

LOG_MODULE(control);

enum { SNOOP_TICK_US = 50000 };

uint64_t
vswitch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/** Process at most one ring's worth of messages per lcore; later ones wait for the next call. */
static void
snoop_collect(struct vswitch_snoop *snoop, unsigned lcores)
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

static void
snoop_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct vswitch *vswitch = arg;
	struct vswitch_snoop *snoop = &vswitch->snoop;

	(void)fd;
	(void)what;
	snoop_collect(snoop, vswitch->services.lcores);
	groups_expire(snoop->groups, vswitch_now_ms());
	if (groups_changed(snoop->groups) && !vswitch->holding)
		vswitch_publish(vswitch);
}

static void
snoop_free(struct vswitch_snoop *snoop)
{
	if (snoop->event != NULL)
		event_free(snoop->event);
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		snoop_ring_destroy(snoop->ring[lcore_id]);
	groups_destroy(snoop->groups);
	*snoop = (struct vswitch_snoop){.groups = NULL};
}

/** @return false when there is no memory; free with snoop_free() then, too */
static bool
snoop_create(struct vswitch *vswitch, struct vswitch_snoop *snoop)
{
	const struct timeval tick = {.tv_usec = SNOOP_TICK_US};
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		log_warning("no random numbers: %s", strerror(errno));
	snoop->groups = groups_create(seed);
	snoop->event = event_new(vswitch->events, -1, EV_PERSIST, snoop_on_tick, vswitch);
	bool good = snoop->groups != NULL && snoop->event != NULL;
	for (unsigned lcore_id = 0; good && lcore_id < vswitch->services.lcores; lcore_id++) {
		snoop->ring[lcore_id] = snoop_ring_create();
		good = snoop->ring[lcore_id] != NULL;
	}
	return good && event_add(snoop->event, &tick) == 0;
}

int
vswitch_set_snooping(struct vswitch *vswitch, bool on, struct err *err)
{
	struct vswitch_snoop old = vswitch->snoop;

	if (on == (old.groups != NULL))
		return 0;
	vswitch->snoop = (struct vswitch_snoop){.groups = NULL};
	if (on && !snoop_create(vswitch, &vswitch->snoop)) {
		snoop_free(&vswitch->snoop);
		return err_set(err, ENOMEM, "snooping: no memory");
	}
	vswitch_publish(vswitch);
	/* After the publication no lcore uses the old state. */
	snoop_free(&old);
	log_info("snooping: %s", on ? "on" : "off");
	return 0;
}

void
vswitch_snoop_forget(struct vswitch *vswitch, uint16_t port)
{
	struct vswitch_snoop *snoop = &vswitch->snoop;

	if (snoop->groups == NULL)
		return;
	/* Process queued messages first: they were received before this call. */
	snoop_collect(snoop, vswitch->services.lcores);
	groups_forget_port(snoop->groups, port);
}

void
vswitch_snoop_prepare(struct vswitch *vswitch)
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct port *port = vswitch->by_id[id];
		if (port != NULL)
			port->snooped = vswitch->snoop.groups != NULL;
		if (vswitch->snoop.groups != NULL)
			groups_set_port(vswitch->snoop.groups, id,
				port != NULL && port->config.fast_leave,
				port != NULL ? (int)port->config.mcast_router : PORT_ROUTER_AUTO);
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

void
vswitch_snoop_destroy(struct vswitch *vswitch)
{
	snoop_free(&vswitch->snoop);
}
