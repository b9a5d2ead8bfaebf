/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A traced frame in words: each step on its way, and what decided it.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_TRACE_STEPS_H
#define SHUNT_CONTROL_TRACE_STEPS_H

#include <jansson.h>

#include "control/vswitch.h"
#include "datapath/trace.h"

/** A frame, and all that is known of it. */
struct trace_story {
	const struct vswitch *vswitch;
	const struct port *port; /**< where it came in */
	const struct rules *rules;
	const uint8_t *bytes;
	uint32_t len;
	const struct trace *trace;
};

/** @return an array of {"step", "why"} */
json_t *trace_steps(const struct trace_story *story);

#endif
