/* SPDX-License-Identifier: BSD-3-Clause */
/* Storm control: the rate of flooded frames from a port: the keys and their defaults. */
#include "features/storm/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key storm_keys[] = {
	KEY_ROW(struct storm_config, storm, "storm",
		"limit of broadcast, multicast and unknown unicast frames per second from the "
		"port; 0 = none",
		KEY_ROW_NUMBER(STORM_PPS_MAX), .value = "PPS"),
	{0},
};
/* clang-format on */

const struct port_section storm_section = {
	.keys = storm_keys,
	.size = sizeof(struct storm_config),
};
