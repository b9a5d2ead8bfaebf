/* SPDX-License-Identifier: BSD-3-Clause */
/* Classifies multicast packets for snooping. */
#include "snoop/classify.h"

#include "frame/frame.h"
#include "snoop/packet.h"

/** Classify IGMP by its type. @param otherwise class of a packet too short to tell */
static enum snoop_class
classify_igmp(const uint8_t *packet, uint32_t len, enum snoop_class otherwise)
{
	uint32_t header = (packet[0] & 0xfu) * 4;

	if (header < IP4_LEN || header >= len)
		return otherwise;
	switch (packet[header]) {
	case IGMP_QUERY:
		return SNOOP_CLASS_ROUTER;
	case IGMP_REPORT_1:
	case IGMP_REPORT_2:
	case IGMP_LEAVE:
	case IGMP_REPORT_3:
		return SNOOP_CLASS_REPORT;
	default:
		/* RFC 4541 section 2.1.1 (5): unknown types are flooded. */
		return SNOOP_CLASS_FLOOD;
	}
}

/** Classify an IPv4 packet. */
static enum snoop_class
classify_ip4(const uint8_t *packet, uint32_t len, struct snoop_ip *group)
{
	if (len < IP4_LEN || packet[0] >> 4 != 4)
		return SNOOP_CLASS_FLOOD;
	*group = snoop_ip4(packet + IP4_DEST);
	if (!snoop_ip_is_group(group))
		return SNOOP_CLASS_FLOOD;
	enum snoop_class data = snoop_ip_is_for_all(group) ? SNOOP_CLASS_FLOOD : SNOOP_CLASS_DATA;
	bool first = (frame_be16(packet + IP4_FRAGMENT) & IP4_OFFSET_MASK) == 0;
	if (packet[IP4_PROTOCOL] == PROTOCOL_IGMP && first)
		return classify_igmp(packet, len, data);
	if (packet[IP4_PROTOCOL] == PROTOCOL_PIM && data == SNOOP_CLASS_FLOOD)
		return SNOOP_CLASS_ROUTER;
	return data;
}

/** Classify the message after hop-by-hop options. @param otherwise class if it is not MLD */
static enum snoop_class
classify_mld(const uint8_t *packet, uint32_t len, enum snoop_class otherwise)
{
	if (len < IP6_LEN + 8 || packet[IP6_LEN] != PROTOCOL_ICMP6)
		return otherwise;
	uint32_t at = IP6_LEN + (packet[IP6_LEN + 1] + 1u) * 8;
	if (at >= len)
		return otherwise;
	switch (packet[at]) {
	case MLD_QUERY:
		return SNOOP_CLASS_ROUTER;
	case MLD_REPORT_1:
	case MLD_DONE:
	case MLD_REPORT_2:
		return SNOOP_CLASS_REPORT;
	default:
		return otherwise;
	}
}

/** Classify an IPv6 packet. */
static enum snoop_class
classify_ip6(const uint8_t *packet, uint32_t len, struct snoop_ip *group)
{
	if (len < IP6_LEN || packet[0] >> 4 != 6)
		return SNOOP_CLASS_FLOOD;
	*group = snoop_ip6(packet + IP6_DEST);
	if (!snoop_ip_is_group(group))
		return SNOOP_CLASS_FLOOD;
	enum snoop_class data = snoop_ip_is_for_all(group) ? SNOOP_CLASS_FLOOD : SNOOP_CLASS_DATA;
	if (packet[IP6_NEXT] == PROTOCOL_HOP_OPTIONS)
		return classify_mld(packet, len, data);
	if (packet[IP6_NEXT] == PROTOCOL_PIM && snoop_ip_is_link_scope(group))
		return SNOOP_CLASS_ROUTER;
	return data;
}

enum snoop_class
snoop_classify(const uint8_t *packet, uint32_t len, uint16_t type, struct snoop_ip *group)
{
	if (type == PACKET_TYPE_IP4)
		return classify_ip4(packet, len, group);
	return type == PACKET_TYPE_IP6 ? classify_ip6(packet, len, group) : SNOOP_CLASS_FLOOD;
}
