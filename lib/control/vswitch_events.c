/* SPDX-License-Identifier: BSD-3-Clause */
/* Publishes events of links and front ends, and of the FDB while there are subscribers of these. */
#include <errno.h>
#include <limits.h>

#include <event2/event.h>

#include "base/log.h"
#include "control/vswitch.h"
#include "fdb/fdb_changes.h"

LOG_MODULE(control);

enum {
	EVENTS_TICK_US = 50000,
	/** Changes published between two rounds of the event loop, which writes to readers. */
	EVENTS_BATCH = 64,
};

static const enum event_action events_actions[] = {
	[FDB_ACTION_LEARNED] = EVENT_LEARNED,
	[FDB_ACTION_MOVED] = EVENT_MOVED,
	[FDB_ACTION_AGED] = EVENT_AGED,
	[FDB_ACTION_EVICTED] = EVENT_EVICTED,
	[FDB_ACTION_ADDED] = EVENT_ADDED,
	[FDB_ACTION_DELETED] = EVENT_DELETED,
	[FDB_ACTION_FLUSHED] = EVENT_FLUSHED,
};

/** @return name of a port, which is published or being closed; NULL for FDB_MISS */
static const char *
events_port_name(const struct vswitch *vswitch, const struct vswitch_port *leaving, uint16_t id)
{
	if (id == FDB_MISS)
		return NULL;
	if (leaving != NULL && leaving->port.id == id)
		return leaving->port.config.name;
	return vswitch->by_id[id] != NULL ? vswitch->by_id[id]->config.name : "";
}

/**
 * Publish at most n changes of the FDB.
 *
 * @param leaving port being closed; NULL = none
 * @return whether there may be more
 */
static bool
events_publish_changes(struct vswitch *vswitch, const struct vswitch_port *leaving, unsigned n)
{
	struct fdb_change change;
	unsigned taken = 0;

	while (taken < n && fdb_changes_take(vswitch->fdb, &change)) {
		event_fdb(vswitch->hub,
			&(struct event_fdb){
				.action = events_actions[change.action],
				.mac = change.mac,
				.vlan = change.vlan == FDB_VLAN_ALL ? -1 : change.vlan,
				.port = events_port_name(vswitch, leaving, change.port),
				.from = change.action == FDB_ACTION_MOVED
						? events_port_name(
							  vswitch, leaving, change.old_port)
						: NULL,
				.statics = change.statics,
			});
		taken++;
	}
	event_hub_lose(vswitch->hub, EVENT_KIND_FDB, fdb_changes_lost(vswitch->fdb));
	return taken == n;
}

/** Timer callback: publish the next changes of the FDB. */
static void
events_on_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tick = {.tv_usec = EVENTS_TICK_US}, now = {.tv_usec = 0};
	struct vswitch *vswitch = arg;

	(void)fd;
	(void)what;
	bool more = events_publish_changes(vswitch, NULL, EVENTS_BATCH);
	event_add(vswitch->fdb_event, more ? &now : &tick);
}

/** event_hub_set_callback() callback: record changes of the FDB only while subscribed to. */
static void
events_on_wanted(void *arg)
{
	const struct timeval tick = {.tv_usec = EVENTS_TICK_US};
	struct vswitch *vswitch = arg;
	bool wanted = event_hub_wants(vswitch->hub, EVENT_KIND_FDB);

	if (wanted == vswitch->fdb_recorded)
		return;
	if (fdb_changes_record(vswitch->fdb, wanted) < 0) {
		log_error("no memory for events of the filtering table");
		return;
	}
	vswitch->fdb_recorded = wanted;
	if (wanted)
		event_add(vswitch->fdb_event, &tick);
	else
		event_del(vswitch->fdb_event);
}

int
vswitch_events_open(struct vswitch *vswitch, struct event_hub *hub)
{
	vswitch->hub = hub;
	if (hub == NULL)
		return 0;
	vswitch->fdb_event = evtimer_new(vswitch->events, events_on_tick, vswitch);
	if (vswitch->fdb_event == NULL)
		return -ENOMEM;
	event_hub_set_callback(hub, events_on_wanted, vswitch);
	return 0;
}

void
vswitch_events_port_closed(struct vswitch *vswitch, const struct vswitch_port *port)
{
	if (vswitch->fdb_recorded)
		events_publish_changes(vswitch, port, UINT_MAX);
}

/** Publish the last changes of a front end, two at most. */
static void
events_publish_front_end(
	struct vswitch *vswitch, const char *port, const struct port_link *link, uint32_t changes)
{
	bool connected = link->front_ends % 2 != 0;

	if (changes > 1)
		event_front_end(vswitch->hub, port, !connected);
	if (changes > 0)
		event_front_end(vswitch->hub, port, connected);
}

void
vswitch_events_link(
	struct vswitch *vswitch, const struct vswitch_port *port, const struct port_link *old)
{
	const struct port_link *link = &port->link;
	const char *name = port->port.config.name;
	bool flapped = link->up == old->up && link->generation != old->generation;

	/* A link is up only while a front end is connected. */
	if (old->up && (!link->up || flapped))
		event_link(vswitch->hub, name, false);
	events_publish_front_end(vswitch, name, link, link->front_ends - old->front_ends);
	if (flapped ? !link->up : link->up && !old->up)
		event_link(vswitch->hub, name, true);
	if (flapped)
		event_link(vswitch->hub, name, link->up);
}

void
vswitch_events_close(struct vswitch *vswitch)
{
	if (vswitch->fdb_event == NULL)
		return;
	event_hub_set_callback(vswitch->hub, NULL, NULL);
	event_free(vswitch->fdb_event);
	vswitch->fdb_event = NULL;
	vswitch->fdb_recorded = false;
	vswitch->hub = NULL;
}
