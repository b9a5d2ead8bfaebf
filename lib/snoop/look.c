/* SPDX-License-Identifier: BSD-3-Clause */
/* Classifies multicast packets for snooping. */
#include "snoop/look.h"

#include "frame/frame.h"
#include "snoop/packet.h"

static enum snoop_look
look_igmp(const uint8_t *packet, uint32_t len, enum snoop_look otherwise)
{
	uint32_t header = (packet[0] & 0xfu) * 4;

	if (header < IP4_LEN || header >= len)
		return otherwise;
	switch (packet[header]) {
	case IGMP_QUERY:
		return SNOOP_LOOK_SIGNAL;
	case IGMP_REPORT_1:
	case IGMP_REPORT_2:
	case IGMP_LEAVE:
	case IGMP_REPORT_3:
		return SNOOP_LOOK_REPORT;
	default:
		/* RFC 4541 section 2.1.1 (5): unknown types are flooded. */
		return SNOOP_LOOK_PLAIN;
	}
}

static enum snoop_look
look_ip4(const uint8_t *packet, uint32_t len, struct snoop_ip *group)
{
	if (len < IP4_LEN || packet[0] >> 4 != 4)
		return SNOOP_LOOK_PLAIN;
	*group = snoop_ip4(packet + IP4_DEST);
	if (!snoop_ip_is_group(group))
		return SNOOP_LOOK_PLAIN;
	enum snoop_look data = snoop_ip_is_for_all(group) ? SNOOP_LOOK_PLAIN : SNOOP_LOOK_DATA;
	bool first = (frame_be16(packet + IP4_FRAGMENT) & IP4_OFFSET_MASK) == 0;
	if (packet[IP4_PROTOCOL] == PROTOCOL_IGMP && first)
		return look_igmp(packet, len, data);
	if (packet[IP4_PROTOCOL] == PROTOCOL_PIM && data == SNOOP_LOOK_PLAIN)
		return SNOOP_LOOK_SIGNAL;
	return data;
}

static enum snoop_look
look_mld(const uint8_t *packet, uint32_t len, enum snoop_look otherwise)
{
	if (len < IP6_LEN + 8 || packet[IP6_LEN] != PROTOCOL_ICMP6)
		return otherwise;
	uint32_t at = IP6_LEN + (packet[IP6_LEN + 1] + 1u) * 8;
	if (at >= len)
		return otherwise;
	switch (packet[at]) {
	case MLD_QUERY:
		return SNOOP_LOOK_SIGNAL;
	case MLD_REPORT_1:
	case MLD_DONE:
	case MLD_REPORT_2:
		return SNOOP_LOOK_REPORT;
	default:
		return otherwise;
	}
}

static enum snoop_look
look_ip6(const uint8_t *packet, uint32_t len, struct snoop_ip *group)
{
	if (len < IP6_LEN || packet[0] >> 4 != 6)
		return SNOOP_LOOK_PLAIN;
	*group = snoop_ip6(packet + IP6_DEST);
	if (!snoop_ip_is_group(group))
		return SNOOP_LOOK_PLAIN;
	enum snoop_look data = snoop_ip_is_for_all(group) ? SNOOP_LOOK_PLAIN : SNOOP_LOOK_DATA;
	if (packet[IP6_NEXT] == PROTOCOL_HOP_OPTIONS)
		return look_mld(packet, len, data);
	if (packet[IP6_NEXT] == PROTOCOL_PIM && snoop_ip_is_link_scope(group))
		return SNOOP_LOOK_SIGNAL;
	return data;
}

enum snoop_look
snoop_look(const uint8_t *packet, uint32_t len, uint16_t type, struct snoop_ip *group)
{
	if (type == PACKET_TYPE_IP4)
		return look_ip4(packet, len, group);
	return type == PACKET_TYPE_IP6 ? look_ip6(packet, len, group) : SNOOP_LOOK_PLAIN;
}
