/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom a port may reach: VEB, VEPA, private and passthru, with the semantics of the modes of Linux'
 * macvlan (drivers/net/macvlan.c), and isolated ports as `bridge link` has them.
 *
 * Ports that name the same uplink are its members. A member in bridge mode reaches the uplink and
 * the other members in bridge mode; members in any other mode reach the uplink alone. Ports without
 * an uplink reach each other, and their own members.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_POLICY_POLICY_H
#define SHUNT_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/port.h"

/** A port as its neighbours see it. */
struct policy {
	enum port_policy mode;
	uint16_t port;
	uint16_t uplink; /**< PORT_NONE = a member of nobody */
	bool isolated;
};

/** Do `policy` and `uplink` fit together? @return 0; -EINVAL with the reason */
int policy_check(const struct port_config *config, struct err *err);

/** The policy of a port. */
struct policy policy_of(const struct port *port);

static inline bool
policy_is_member(const struct policy *port, const struct policy *uplink)
{
	return port->uplink == uplink->port;
}

/** May frames that came in at one port leave by the other, without a detour? */
bool policy_reaches(const struct policy *from, const struct policy *to);

/**
 * Where frames go for a port that cannot be reached: by an uplink, as if the port were on another
 * host.
 *
 * @return a port id; PORT_NONE: nowhere
 */
uint16_t policy_detour(const struct policy *from, const struct policy *to);

/**
 * A frame for several that a member sent comes back from the uplink: does it go to this port?
 *
 * @param source the member it is from
 */
bool policy_reflects(const struct policy *source, const struct policy *to);

#endif
