/* SPDX-License-Identifier: BSD-3-Clause */
/* Sender addresses in ARP and neighbour discovery: the keys and their defaults. */
#include "features/neighbours/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key neighbours_keys[] = {
	KEY_ROW(struct neighbours_config, macs_arp, "macs-arp",
		"whether ARP and neighbour discovery may announce addresses of macs only",
		KEY_ROW_SWITCH),
	{0},
};
/* clang-format on */

const struct port_section neighbours_section = {
	.keys = neighbours_keys,
	.size = sizeof(struct neighbours_config),
};
