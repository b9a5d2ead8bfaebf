/* SPDX-License-Identifier: BSD-3-Clause */
/* Mirroring of a port's frames: the keys and their defaults. */
#include "features/mirror/keys.h"

#include "port/key_rows.h"

static const char *const mirror_directions[] = {"both", "rx", "tx", NULL};

/* clang-format off: rows read better than blocks */
static const struct key mirror_keys[] = {
	KEY_ROW(struct mirror_config, mirror, "mirror",
		"port that gets copies of this port's frames; empty = none", KEY_ROW_PORT),
	KEY_ROW(struct mirror_config, direction, "mirror-direction",
		"frames to copy: received from the port (rx), sent to the port (tx), or both",
		KEY_ROW_CHOICE(mirror_directions)),
	{0},
};
/* clang-format on */

const struct port_section mirror_section = {
	.keys = mirror_keys,
	.size = sizeof(struct mirror_config),
};
