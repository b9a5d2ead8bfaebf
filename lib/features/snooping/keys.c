/* SPDX-License-Identifier: BSD-3-Clause */
/* IGMP and MLD snooping at a port: the keys and their defaults. */
#include "features/snooping/keys.h"

#include "port/key_rows.h"

static const char *const snooping_routers[] = {"auto", "on", "off", NULL};

/* clang-format off: rows read better than blocks */
static const struct key snooping_keys[] = {
	KEY_ROW(struct snooping_config, fast_leave, "fast-leave",
		"snooping: whether a leave ends a membership at once: one host behind the port",
		KEY_ROW_SWITCH),
	KEY_ROW(struct snooping_config, mcast_router, "mcast-router",
		"snooping: whether a multicast router is behind the port; auto = as detected",
		KEY_ROW_CHOICE(snooping_routers)),
	{0},
};
/* clang-format on */

const struct port_section snooping_section = {
	.keys = snooping_keys,
	.size = sizeof(struct snooping_config),
};
