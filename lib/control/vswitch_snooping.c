/* SPDX-License-Identifier: BSD-3-Clause */
/* Snooping on and off, and its timer, which publishes when groups have changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include "base/log.h"
#include "control/vswitch.h"

LOG_MODULE(control);

enum { SNOOPING_TICK_US = 50000 };

/** Timer callback: process messages, and publish the groups if they have changed. */
static void
snooping_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct vswitch *vswitch = arg;
	struct vswitch_snoop *snoop = &vswitch->snoop;

	(void)fd;
	(void)what;
	vswitch_snoop_collect(snoop, vswitch->services.lcores);
	groups_expire(snoop->groups, vswitch_now_ms());
	if (groups_changed(snoop->groups) && !vswitch->publish_deferred)
		vswitch_publish(vswitch);
}

/** Free the state of snooping, and clear it. */
static void
snooping_free(struct vswitch_snoop *snoop)
{
	if (snoop->event != NULL)
		event_free(snoop->event);
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		snoop_ring_destroy(snoop->ring[lcore_id]);
	groups_destroy(snoop->groups);
	*snoop = (struct vswitch_snoop){.groups = NULL};
}

/** Create the state of snooping. @return false: no memory; free with snooping_free() then, too */
static bool
snooping_create(struct vswitch *vswitch, struct vswitch_snoop *snoop)
{
	const struct timeval tick = {.tv_usec = SNOOPING_TICK_US};
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) < 0)
		log_warning("no random numbers: %s", strerror(errno));
	snoop->groups = groups_create(seed);
	snoop->event = event_new(vswitch->events, -1, EV_PERSIST, snooping_on_tick, vswitch);
	bool good = snoop->groups != NULL && snoop->event != NULL;
	for (unsigned lcore_id = 0; good && lcore_id < vswitch->services.lcores; lcore_id++) {
		snoop->ring[lcore_id] = snoop_ring_create();
		good = snoop->ring[lcore_id] != NULL;
	}
	return good && event_add(snoop->event, &tick) == 0;
}

int
vswitch_snooping_set(struct vswitch *vswitch, bool on, struct err *err)
{
	struct vswitch_snoop old = vswitch->snoop;

	if (on == (old.groups != NULL))
		return 0;
	vswitch->snoop = (struct vswitch_snoop){.groups = NULL};
	if (on && !snooping_create(vswitch, &vswitch->snoop)) {
		snooping_free(&vswitch->snoop);
		return err_set(err, ENOMEM, "snooping: no memory");
	}
	vswitch_publish(vswitch);
	/* After the publication no lcore uses the old state. */
	snooping_free(&old);
	log_info("snooping: %s", on ? "on" : "off");
	return 0;
}

void
vswitch_snooping_destroy(struct vswitch *vswitch)
{
	snooping_free(&vswitch->snoop);
}
