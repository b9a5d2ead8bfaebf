/* SPDX-License-Identifier: BSD-3-Clause */
/* Reserved group addresses that a port forwards: the keys and their defaults. */
#include "features/reserved/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key reserved_keys[] = {
	KEY_ROW(struct reserved_config, forward, "forward-reserved",
		"reserved addresses 01:80:c2:00:00:00 to 0f that are forwarded, not dropped: "
		"last digits or names, such as lacp,lldp; empty = none",
		KEY_ROW_LIST(RESERVED_TEXT)),
	{0},
};
/* clang-format on */

const struct port_section reserved_section = {
	.keys = reserved_keys,
	.size = sizeof(struct reserved_config),
};
