/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classification of multicast packets by polling lcores: the ports that a packet is for. Checks no
 * more than that needs; messages that change memberships are parsed by the control thread, parse.h.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_SNOOP_LOOK_H
#define SHUNT_SNOOP_LOOK_H

#include "snoop/address.h"

/** Forwarding of a packet by RFC 4541 section 2.1. */
enum snoop_look {
	SNOOP_LOOK_PLAIN,  /**< flood: not IP, not a group, a group for all, unknown IGMP */
	SNOOP_LOOK_DATA,   /**< to the members of its group and to routers */
	SNOOP_LOOK_REPORT, /**< to routers, and a copy to the control thread */
	SNOOP_LOOK_SIGNAL, /**< flood, and a copy to the control thread: queries, hellos */
};

/**
 * Classify a packet.
 *
 * @param packet bytes after the Ethernet header and its tag, in memory that only the caller writes
 * @param len number of these bytes; the packet may be longer
 * @param type EtherType
 * @param group receives the destination, for SNOOP_LOOK_DATA and SNOOP_LOOK_REPORT
 * @return how to forward the packet
 */
enum snoop_look snoop_look(
	const uint8_t *packet, uint32_t len, uint16_t type, struct snoop_ip *group);

#endif
