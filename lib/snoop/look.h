/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A first look at a multicast packet, as polling lcores take it for every one: whom is it for? No
 * more is believed than that takes; what changes memberships is parsed by control, in parse.h.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_SNOOP_LOOK_H
#define SHUNT_SNOOP_LOOK_H

#include "snoop/address.h"

/** What RFC 4541 section 2.1 has in store for a packet. */
enum snoop_look {
	SNOOP_LOOK_PLAIN,  /**< for everybody: no IP, no group, a group for all, unknown IGMP */
	SNOOP_LOOK_DATA,   /**< for the members of its group, and routers */
	SNOOP_LOOK_REPORT, /**< for routers, and of interest to control */
	SNOOP_LOOK_SIGNAL, /**< for everybody, and of interest to control: queries, hellos */
};

/**
 * Look at a packet.
 *
 * @param packet the bytes behind the Ethernet header and its tag, in memory nobody else writes
 * @param len how many are there; the packet may be longer
 * @param type of the Ethernet header
 * @param group receives where the packet goes, for SNOOP_LOOK_DATA and SNOOP_LOOK_REPORT
 */
enum snoop_look snoop_look(
	const uint8_t *packet, uint32_t len, uint16_t type, struct snoop_ip *group);

#endif
