/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch as a whole: create, destroy, the clock, and events of the control thread. */
#include "control/vswitch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"

LOG_MODULE(control);

time_t
vswitch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/** port_services.quiesce. Any thread but a polling lcore. */
static void
vswitch_on_quiesce(void *arg)
{
	const struct vswitch *vswitch = arg;

	datapath_quiesce(vswitch->datapath);
}

/** port_services.wake. Any thread but a polling lcore. */
static void
vswitch_on_wake(void *arg)
{
	const struct vswitch *vswitch = arg;

	datapath_wake(vswitch->datapath);
}

/** port_services.link_changed. Any thread but a polling lcore. */
static void
vswitch_on_link_changed(void *arg)
{
	const struct vswitch *vswitch = arg;

	eventfd_write(vswitch->link_fd, 1);
}

/** Event callback: a driver has reported a change of a link. */
static void
vswitch_on_link_event(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t count;

	(void)what;
	eventfd_read(fd, &count);
	vswitch_links(arg);
}

/** Measure the load of each queue since the last call. */
static void
vswitch_measure_load(struct vswitch *vswitch)
{
	struct datapath_load load;

	for (unsigned i = 0; i < vswitch->n_queues; i++) {
		uint16_t slot = vswitch->queue[i].slot;
		datapath_slot_load(vswitch->datapath, slot, &load);
		vswitch->slot_load[slot] = load.busy_cycles - vswitch->slot_seen[slot];
		vswitch->slot_seen[slot] = load.busy_cycles;
	}
}

/** Timer callback, once a second: ageing, links, load. */
static void
vswitch_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct vswitch *vswitch = arg;

	(void)fd;
	(void)what;
	fdb_age(vswitch->fdb, (uint64_t)vswitch_now());
	vswitch_links(vswitch);
	vswitch_measure_load(vswitch);
}

/** Add the events of the switch to the event loop. @return 0; negative errno */
static int
vswitch_add_events(struct vswitch *vswitch)
{
	const struct timeval second = {.tv_sec = 1};

	vswitch->link_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (vswitch->link_fd < 0)
		return -errno;
	vswitch->link_event = event_new(vswitch->events, vswitch->link_fd, EV_READ | EV_PERSIST,
		vswitch_on_link_event, vswitch);
	vswitch->tick_event = event_new(vswitch->events, -1, EV_PERSIST, vswitch_on_tick, vswitch);
	if (vswitch->link_event == NULL || vswitch->tick_event == NULL)
		return -ENOMEM;
	event_add(vswitch->link_event, NULL);
	event_add(vswitch->tick_event, &second);
	return 0;
}

/** Set the functions that drivers call. */
static void
vswitch_set_services(struct vswitch *vswitch)
{
	vswitch->services = (struct port_services){
		.quiesce = vswitch_on_quiesce,
		.wake = vswitch_on_wake,
		.link_changed = vswitch_on_link_changed,
		.watch = vswitch_watch,
		.unwatch = vswitch_unwatch,
		.lcores = (unsigned)CPU_COUNT(&vswitch->allowed) - 1,
		.arg = vswitch,
	};
	if (vswitch->services.lcores > LCORE_MAX)
		vswitch->services.lcores = LCORE_MAX;
}

struct vswitch *
vswitch_create(const struct vswitch_config *config, struct err *err)
{
	struct vswitch *vswitch = calloc(1, sizeof(*vswitch));
	int rc = -ENOMEM;

	if (vswitch == NULL)
		goto fail;
	TAILQ_INIT(&vswitch->ports);
	vswitch->link_fd = -1;
	vswitch->drivers = config->drivers;
	vswitch->events = config->events;
	vswitch->allowed = config->allowed;
	vswitch->started = vswitch_now();
	vswitch_set_services(vswitch);
	vswitch->fdb = fdb_create(&config->fdb);
	if (vswitch->fdb == NULL)
		goto fail;
	fdb_age(vswitch->fdb, (uint64_t)vswitch_now());
	vswitch->datapath = datapath_create(vswitch->fdb, vswitch->drivers);
	if (vswitch->datapath == NULL || (rc = vswitch_add_events(vswitch)) < 0 ||
		(rc = vswitch_events_open(vswitch, config->hub)) < 0)
		goto fail;
	if (vswitch_lcore_set(vswitch, &config->polling, err) < 0) {
		vswitch_destroy(vswitch);
		return NULL;
	}
	return vswitch;
fail:
	err_set(err, -rc, "the switch cannot be set up: %s", strerror(-rc));
	vswitch_destroy(vswitch);
	return NULL;
}

void
vswitch_destroy(struct vswitch *vswitch)
{
	struct vswitch_port *port;

	if (vswitch == NULL)
		return;
	vswitch_events_close(vswitch);
	while ((port = TAILQ_FIRST(&vswitch->ports)) != NULL)
		vswitch_port_del(vswitch, port->port.config.name, NULL);
	datapath_destroy(vswitch->datapath);
	vswitch_features_destroy(vswitch);
	fdb_destroy(vswitch->fdb);
	if (vswitch->link_event != NULL)
		event_free(vswitch->link_event);
	if (vswitch->tick_event != NULL)
		event_free(vswitch->tick_event);
	if (vswitch->link_fd >= 0)
		close(vswitch->link_fd);
	free(vswitch);
}
