/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding policy between ports: VEB, VEPA, private and passthru, with the semantics of the
 * macvlan modes of Linux (drivers/net/macvlan.c), and isolated ports as in `bridge link`.
 *
 * Ports with the same uplink are its members. A member in bridge mode reaches the uplink and the
 * other members in bridge mode; members in any other mode reach the uplink only. Ports without an
 * uplink reach each other, and their own members.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FEATURES_POLICY_RULES_H
#define SHUNT_FEATURES_POLICY_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "features/policy/keys.h"

/** Policy of a port. */
struct policy {
	enum policy_mode mode;
	uint16_t port;   /**< id of the port */
	uint16_t uplink; /**< id of its uplink; PORT_NONE = none */
	bool isolated;
};

/** Check whether a port is a member of an uplink. @return true if it is */
static inline bool
policy_is_member(const struct policy *port, const struct policy *uplink)
{
	return port->uplink == uplink->port;
}

/**
 * Check whether frames received by one port may leave by another one directly.
 *
 * @param from the rx port
 * @param to the tx port
 * @return true if they may
 */
bool policy_may_forward(const struct policy *from, const struct policy *to);

/**
 * Find the port for unicast frames whose destination port may not be reached directly: an uplink,
 * as if the destination were on another host.
 *
 * @param from the rx port
 * @param to the destination port
 * @return port id; PORT_NONE: the frame must be dropped
 */
uint16_t policy_via_uplink(const struct policy *from, const struct policy *to);

/**
 * Reflective relay (IEEE 802.1Qbg): check whether a flooded frame, sent by a member and
 * reflected by the uplink, goes to a port.
 *
 * @param source the member that sent the frame
 * @param to the tx port
 * @return true if it does
 */
bool policy_reflective_relay(const struct policy *source, const struct policy *to);

#endif
