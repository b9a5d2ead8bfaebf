/* SPDX-License-Identifier: BSD-3-Clause */
/* Floods that a port receives: the keys and their defaults. */
#include "features/flood/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key flood_keys[] = {
	KEY_ROW(struct flood_config, flood, "flood",
		"whether frames to unknown addresses are flooded to the port", KEY_ROW_SWITCH),
	KEY_ROW(struct flood_config, mcast_flood, "mcast-flood",
		"whether multicast is flooded to the port", KEY_ROW_SWITCH),
	{0},
};
/* clang-format on */

static void
flood_defaults(void *section)
{
	struct flood_config *config = section;

	config->flood = true;
	config->mcast_flood = true;
}

const struct port_section flood_section = {
	.keys = flood_keys,
	.size = sizeof(struct flood_config),
	.defaults = flood_defaults,
};
