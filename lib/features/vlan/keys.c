/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs of a port: the keys and their defaults. */
#include "features/vlan/keys.h"

#include "port/key_rows.h"

enum { VLAN_LAST = 4094 }; /* IEEE 802.1Q table 9-2 */

static const char *const vlan_protocols[] = {"802.1Q", "802.1ad", NULL};

/* clang-format off: rows read better than blocks */
static const struct key vlan_keys[] = {
	KEY_ROW(struct vlan_config, vlan, "vlan",
		"access port: VLAN of the port, whose frames are untagged; 0 = no access port",
		KEY_ROW_NUMBER(VLAN_LAST)),
	KEY_ROW(struct vlan_config, trunk, "trunk",
		"VLANs whose frames are tagged at the port, such as 10,20-29",
		KEY_ROW_LIST(VLAN_TRUNK_MAX)),
	KEY_ROW(struct vlan_config, native, "native", "trunk: VLAN of untagged frames; 0 = none",
		KEY_ROW_NUMBER(VLAN_LAST)),
	KEY_ROW(struct vlan_config, protocol, "vlan-protocol",
		"type of the port's VLAN tags: customer (802.1Q) or service (802.1ad)",
		KEY_ROW_CHOICE(vlan_protocols)),
	{0},
};
/* clang-format on */

const struct port_section vlan_section = {
	.keys = vlan_keys,
	.size = sizeof(struct vlan_config),
};
