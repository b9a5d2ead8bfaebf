/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports that name other ports: do all configurations of a switch fit together?
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_POLICY_RELATIONS_H
#define SHUNT_POLICY_RELATIONS_H

#include "base/err.h"
#include "port/port.h"

/**
 * Check all ports of a switch, as they are to be.
 *
 * @param culprit receives the place of the configuration that does not fit; may be NULL
 * @return 0; negative errno with the reason: -ENOENT (no such port), -EINVAL (an uplink that has an
 *         uplink, a mirror that is mirrored, or the port itself), -EBUSY (passthru, and not alone)
 */
int relations_check(
	const struct port_config *const configs[], unsigned n, unsigned *culprit, struct err *err);

#endif
