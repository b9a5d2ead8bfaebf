/* SPDX-License-Identifier: BSD-3-Clause */
/* The rate of frames from a port: the keys and their defaults. */
#include "features/police/keys.h"

#include "port/key_rows.h"

/* clang-format off: rows read better than blocks */
static const struct key police_keys[] = {
	KEY_ROW(struct police_config, rate_in, "rate-in",
		"limit of bits per second from the port, such as 100M, or off; frames above it "
		"are dropped",
		KEY_ROW_RATE),
	KEY_ROW(struct police_config, burst_in, "burst-in",
		"rate-in: bytes accepted at once after a pause, or auto", KEY_ROW_BURST),
	{0},
};
/* clang-format on */

const struct port_section police_section = {
	.keys = police_keys,
	.size = sizeof(struct police_config),
};
