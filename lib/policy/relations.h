/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relations between ports: consistency of the uplinks and mirrors of all ports of a switch.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_POLICY_RELATIONS_H
#define SHUNT_POLICY_RELATIONS_H

#include "base/err.h"
#include "port/port.h"

/**
 * Check the intended configurations of all ports of a switch.
 *
 * @param configs in any order
 * @param n number of configurations
 * @param culprit receives the index of the invalid configuration; may be NULL
 * @return 0; negative errno with the reason in err: -ENOENT (no such port), -EINVAL (an uplink with
 *         an uplink, a mirror that is mirrored or the port itself), -EBUSY (passthru port whose
 *         uplink has other members)
 */
int relations_check(
	const struct port_config *const configs[], unsigned n, unsigned *culprit, struct err *err);

#endif
