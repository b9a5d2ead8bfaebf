/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules of a port beyond plain switching, as polling lcores use them; part of each snapshot. Ports
 * that need none have none, and their frames take the fast path.
 *
 * Thread safety: built by the control thread, constant once published.
 */
#ifndef SHUNT_DATAPATH_RULES_H
#define SHUNT_DATAPATH_RULES_H

#include "guard/guard.h"
#include "guard/storm.h"
#include "policy/policy.h"
#include "vlan/vlan.h"

enum { RULES_WORDS = (PORT_MAX + 63) / 64 };

/** Rules of one port. */
struct rules {
	struct policy policy;
	uint16_t fixed;    /**< destination of all frames of this port; PORT_NONE = by the FDB */
	bool is_uplink;    /**< other ports are its members */
	bool learn;        /**< source addresses are learnt here */
	bool flood;        /**< unknown unicast is flooded to this port */
	bool mcast_flood;  /**< multicast is flooded to this port */
	uint16_t reserved; /**< reserved destinations accepted from here, a bit per last byte */
	uint64_t may_forward[RULES_WORDS]; /**< a bit for each port id */
	struct vlan_rules vlan;
	struct guard guard;
	_Atomic uint64_t *storm; /**< the port's; NULL = no storm control */
	struct storm_rate storm_rate;
};

/**
 * Check the configuration keys that rules are built from.
 *
 * @return 0; negative errno with the reason in err
 */
int rules_check(const struct port_config *config, struct err *err);

/**
 * Check whether the configuration of any port requires rules on all ports.
 *
 * @param ports by id, NULL where there is none
 * @return true if it does
 */
bool rules_are_needed(struct port *const ports[PORT_MAX]);

/**
 * Check whether any port requires VLAN rewrite.
 *
 * @param ports as for rules_are_needed()
 * @return true if one does
 */
bool rules_change_tags(struct port *const ports[PORT_MAX]);

/**
 * Check whether a port requires rules on its own account, beside those that concern all ports.
 *
 * @return true if it does
 */
bool rules_of_its_own(const struct port *port);

/**
 * Build the rules of a port.
 *
 * @param port one of `ports`, with a configuration that passed rules_check()
 * @param ports as for rules_are_needed()
 */
void rules_build(struct rules *rules, const struct port *port, struct port *const ports[PORT_MAX]);

/**
 * Check whether frames from the port of `rules` may leave by another port.
 *
 * @param port id of that port, below PORT_MAX
 * @return true if they may
 */
static inline bool
rules_may_forward(const struct rules *rules, uint16_t port)
{
	return rules->may_forward[port / 64] >> port % 64 & 1;
}

#endif
