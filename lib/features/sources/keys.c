/* SPDX-License-Identifier: BSD-3-Clause */
/* Source addresses that the guest behind a port may use: the keys and their defaults. */
#include "features/sources/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key sources_keys[] = {
	KEY_ROW(struct sources_config, macs, "macs",
		"only source addresses that the port may use; empty = any",
		KEY_ROW_LIST(SOURCES_TEXT)),
	{0},
};
/* clang-format on */

const struct port_section sources_section = {
	.keys = sources_keys,
	.size = sizeof(struct sources_config),
};
