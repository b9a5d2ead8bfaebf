/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of features at the ports of tests. */
#ifndef SHUNT_TEST_FEATURE_STATE_H
#define SHUNT_TEST_FEATURE_STATE_H

#include "features/state.h"
#include "unit.h"

/** Open the state of the features of a port for its configuration, and publish. */
static inline void
feature_state_open(struct port *port, void (*publish)(void))
{
	struct features_state state;
	struct err err = {0};

	if (features_open(port, &port->config, &state, &err) < 0)
		fail_msg("%s", err.text);
	features_swap(port, &state);
	publish();
	features_close(port, &state);
}

#endif
