/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Describe a traced frame in words: the steps through the switch, and the reason of each.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_TRACE_STEPS_H
#define SHUNT_CONTROL_TRACE_STEPS_H

#include <jansson.h>

#include "control/vswitch.h"
#include "datapath/trace.h"

/** A traced frame with its context; everything is borrowed. */
struct traced_frame {
	const struct vswitch *vswitch;
	const struct port *port; /**< source port */
	const uint8_t *bytes;
	uint32_t len;
	const struct trace *trace;
};

/** @return an array of {"step", "why"} in order, owned by the caller */
json_t *trace_steps(const struct traced_frame *traced);

#endif
