/* SPDX-License-Identifier: BSD-3-Clause */
/* Snooping on and off, and its timer, which publishes when groups have changed. */
#include <errno.h>

#include <event2/event.h>

#include "control/vswitch.h"
#include "features/snooping/state.h"

enum { SNOOPING_TICK_US = 50000 };

/** Timer callback: process messages, and publish the groups if they have changed. */
static void
snooping_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct vswitch *vswitch = arg;
	struct snooping *snooping = vswitch_feature_state(vswitch, &snooping_feature);

	(void)fd;
	(void)what;
	snooping_collect(snooping);
	groups_expire(snooping->groups, snooping_now_ms());
	if (groups_changed(snooping->groups) && !vswitch->publish_deferred)
		vswitch_publish(vswitch);
}

static void
snooping_close(void *state)
{
	struct snooping *snooping = state;

	if (snooping->tick != NULL)
		event_free(snooping->tick);
	snooping_destroy(snooping);
}

static void *
snooping_open(struct vswitch *vswitch, struct err *err)
{
	const struct timeval tick = {.tv_usec = SNOOPING_TICK_US};
	struct snooping *snooping = snooping_create(vswitch->services.lcores);

	if (snooping != NULL) {
		snooping->tick =
			event_new(vswitch->events, -1, EV_PERSIST, snooping_on_tick, vswitch);
		if (snooping->tick != NULL && event_add(snooping->tick, &tick) == 0)
			return snooping;
		snooping_close(snooping);
	}
	err_set(err, ENOMEM, "snooping: no memory");
	return NULL;
}

static json_t *
snooping_status(const void *state)
{
	const struct snooping *snooping = state;
	struct groups_stats stats;

	groups_get_stats(snooping->groups, &stats);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "groups", (int)stats.groups, "members",
		(int)stats.members, "messages", (json_int_t)stats.messages, "malformed",
		(json_int_t)stats.malformed, "refused", (json_int_t)stats.refused, "lost",
		(json_int_t)snooping_lost(snooping));
}

const struct vswitch_feature snooping_control = {
	.feature = &snooping_feature,
	.open = snooping_open,
	.close = snooping_close,
	.status = snooping_status,
};
