/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port asks for beyond plain switching, as polling lcores need it: made with each snapshot.
 * Where no port asks for anything there are no rules, and frames take the way that does not look.
 *
 * Thread safety: built by the control thread, constant once published.
 */
#ifndef SHUNT_DATAPATH_RULES_H
#define SHUNT_DATAPATH_RULES_H

#include "guard/guard.h"
#include "guard/storm.h"
#include "policy/policy.h"
#include "rate/meter.h"
#include "vlan/vlan.h"

enum { RULES_WORDS = (PORT_MAX + 63) / 64 };

/** One port's. */
struct rules {
	struct policy policy;
	uint16_t fixed;    /**< where all frames of this port go; PORT_NONE = by the table */
	bool is_uplink;    /**< others are its members */
	bool learn;        /**< sources are learnt here */
	bool flood;        /**< unknown unicast leaves here */
	bool mcast_flood;  /**< multicast leaves here */
	uint16_t reserved; /**< reserved addresses that frames from here may be for, by last byte */
	uint64_t reach[RULES_WORDS]; /**< a bit for each port id */
	struct vlan_rules vlan;
	struct meter *meter; /**< the port's; NULL = it may send at any rate */
	struct bucket_rate rate_in;
	struct guard guard;
	_Atomic uint64_t *storm; /**< of the port; NULL = frames to everybody are not limited */
	struct storm_rate storm_rate;
};

/** Do the keys that rules are made of fit together? @return 0; negative errno with the reason */
int rules_check(const struct port_config *config, struct err *err);

/** Does any port ask for what concerns all others? @param ports by id, NULL where there is none */
bool rules_are_needed(struct port *const ports[PORT_MAX]);

/** Does any port change tags? */
bool rules_change_tags(struct port *const ports[PORT_MAX]);

/** Does this port ask for something that concerns its own frames alone? */
bool rules_of_its_own(const struct port *port);

/** The rules of one port among its neighbours. */
void rules_build(struct rules *rules, const struct port *port, struct port *const ports[PORT_MAX]);

/** May frames from this port leave by that one? */
static inline bool
rules_reach(const struct rules *rules, uint16_t port)
{
	return rules->reach[port / 64] >> port % 64 & 1;
}

#endif
