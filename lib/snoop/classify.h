/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classification of multicast packets by polling lcores: the ports that a packet is for. Packets
 * are checked for that purpose only. The control thread parses messages that change memberships
 * (parse.h).
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_SNOOP_CLASS_H
#define SHUNT_SNOOP_CLASS_H

#include "snoop/address.h"

/** Forwarding of a packet by RFC 4541 section 2.1. */
enum snoop_class {
	SNOOP_CLASS_FLOOD,  /**< flood: not IP, not a group, a group for all, unknown IGMP */
	SNOOP_CLASS_DATA,   /**< to the members of its group and to routers */
	SNOOP_CLASS_REPORT, /**< to routers, and a copy to the control thread */
	SNOOP_CLASS_ROUTER, /**< flood, and a copy to the control thread: queries, PIM */
};

/**
 * Classify a packet.
 *
 * @param packet bytes after the Ethernet header and its tag, in memory that only the caller writes
 * @param len number of these bytes; the packet may be longer
 * @param type EtherType
 * @param group receives the destination, for SNOOP_CLASS_DATA and SNOOP_CLASS_REPORT
 * @return how to forward the packet
 */
enum snoop_class snoop_classify(
	const uint8_t *packet, uint32_t len, uint16_t type, struct snoop_ip *group);

#endif
