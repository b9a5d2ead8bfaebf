/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of drivers in the event loop of the control thread. */
#include <stdlib.h>

#include <event2/event.h>

#include "control/vswitch.h"

/** A descriptor that is watched. */
struct port_watch {
	struct event *event;
	void (*ready)(void *ready_arg, unsigned events);
	void *ready_arg;
};

/** Event callback: call the driver's function, which may free the watch. */
static void
watch_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct port_watch *watch = arg;

	(void)fd;
	watch->ready(watch->ready_arg, (what & EV_READ ? PORT_WATCH_READ : 0U) |
					       (what & EV_WRITE ? PORT_WATCH_WRITE : 0U));
}

struct port_watch *
vswitch_watch(void *arg, int fd, unsigned events, void (*ready)(void *ready_arg, unsigned events),
	void *ready_arg)
{
	const struct vswitch *vswitch = arg;
	struct port_watch *watch = calloc(1, sizeof(*watch));
	short what = (short)(EV_PERSIST | (events & PORT_WATCH_READ ? EV_READ : 0) |
			     (events & PORT_WATCH_WRITE ? EV_WRITE : 0));

	if (watch == NULL)
		return NULL;
	watch->ready = ready;
	watch->ready_arg = ready_arg;
	watch->event = event_new(vswitch->events, fd, what, watch_on_event, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) < 0) {
		vswitch_unwatch(watch);
		return NULL;
	}
	return watch;
}

void
vswitch_unwatch(struct port_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->event != NULL)
		event_free(watch->event);
	free(watch);
}
