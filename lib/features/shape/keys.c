/* SPDX-License-Identifier: BSD-3-Clause */
/* The rate of frames to a port: the keys and their defaults. */
#include "features/shape/keys.h"

#include "port/key_rows.h"

enum {
	SHAPE_QUEUE = 1000, /* as txqueuelen of Linux */
	SHAPE_QUEUE_MIN = 64,
	SHAPE_QUEUE_MAX = 65536,
};

/* clang-format off: rows read better than blocks */
static const struct key shape_keys[] = {
	KEY_ROW(struct shape_config, rate_out, "rate-out",
		"limit of bits per second to the port, such as 100M, or off; frames above it wait",
		KEY_ROW_RATE),
	KEY_ROW(struct shape_config, burst_out, "burst-out",
		"rate-out: bytes sent at once after a pause, or auto", KEY_ROW_BURST),
	KEY_ROW(struct shape_config, queue_out, "queue-out",
		"rate-out: limit of frames that wait, in buffers of 2 KB",
		KEY_ROW_NUMBER(SHAPE_QUEUE_MAX), .min = SHAPE_QUEUE_MIN),
	{0},
};
/* clang-format on */

static void
shape_defaults(void *section)
{
	struct shape_config *config = section;

	config->queue_out = SHAPE_QUEUE;
}

const struct port_section shape_section = {
	.keys = shape_keys,
	.size = sizeof(struct shape_config),
	.defaults = shape_defaults,
};
