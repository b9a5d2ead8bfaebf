/* SPDX-License-Identifier: BSD-3-Clause */
/* Learning of source addresses: the keys and their defaults. */
#include "features/learn/keys.h"

#include "port/key_rows.h"

enum { LEARN_MAC_LIMIT_MAX = 1048576 };

/* clang-format off: rows read better than blocks */
static const struct key learn_keys[] = {
	KEY_ROW(struct learn_config, mac_limit, "mac-limit",
		"limit of addresses learned at the port; 0 = none",
		KEY_ROW_NUMBER(LEARN_MAC_LIMIT_MAX)),
	KEY_ROW(struct learn_config, learn, "learn",
		"whether source addresses are learned at the port", KEY_ROW_SWITCH),
	KEY_ROW(struct learn_config, sticky, "sticky",
		"whether addresses learned at the port stay until they age out", KEY_ROW_SWITCH),
	{0},
};
/* clang-format on */

static void
learn_defaults(void *section)
{
	struct learn_config *config = section;

	config->learn = true;
}

const struct port_section learn_section = {
	.keys = learn_keys,
	.size = sizeof(struct learn_config),
	.defaults = learn_defaults,
};
