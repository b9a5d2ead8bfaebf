/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offsets and values of the headers that snooping reads.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_SNOOP_PACKET_H
#define SHUNT_SNOOP_PACKET_H

enum {
	PACKET_TYPE_IP4 = 0x0800,
	PACKET_TYPE_IP6 = 0x86dd,

	IP4_LEN = 20,
	IP4_TOTAL = 2,
	IP4_FRAGMENT = 6,
	IP4_PROTOCOL = 9,
	IP4_SOURCE = 12,
	IP4_DEST = 16,
	IP4_OFFSET_MASK = 0x1fff,
	IP4_MORE_MASK = 0x2000,

	IP6_LEN = 40,
	IP6_PAYLOAD = 4,
	IP6_NEXT = 6,
	IP6_HOPS = 7,
	IP6_SOURCE = 8,
	IP6_DEST = 24,

	PROTOCOL_HOP_OPTIONS = 0,
	PROTOCOL_IGMP = 2,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_PIM = 103,

	/* RFC 2236 section 2, RFC 3376 section 4 */
	IGMP_QUERY = 0x11,
	IGMP_REPORT_1 = 0x12,
	IGMP_REPORT_2 = 0x16,
	IGMP_LEAVE = 0x17,
	IGMP_REPORT_3 = 0x22,

	/* RFC 2710 section 3, RFC 3810 section 5 */
	MLD_QUERY = 130,
	MLD_REPORT_1 = 131,
	MLD_DONE = 132,
	MLD_REPORT_2 = 143,

	PIM_HELLO = 0x20, /**< version 2, type 0: RFC 7761 section 4.9 */
};

#endif
