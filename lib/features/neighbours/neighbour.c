/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks sender addresses in ARP, RARP and IPv6 neighbour discovery. */
#include "features/neighbours/neighbour.h"

#include <netinet/in.h>

#include <rte_ether.h>

#include "base/mac.h"

enum {
	TAGS_MAX = 8,
	EXTENSIONS_MAX = 8,
	OPTIONS_MAX = 16,
	TYPE_QINQ_OLD = 0x9100, /* outer tags before IEEE 802.1ad */
	TYPE_MIN = 0x600,       /* IEEE 802.3 clause 3.2.6: lower values are a length */
	SNAP_LEN = 8,           /* LLC and SNAP headers, RFC 1042 */
};

/* RFC 826: offsets in a packet. */
enum { ARP_ADDRESS_LEN = 4, ARP_SENDER = 8 };

/* RFC 8200 sections 3 and 4: offsets in headers, and sizes. */
enum {
	IPV6_PAYLOAD_LEN = 4,
	IPV6_NEXT = 6,
	IPV6_LEN = 40,
	EXTENSION_UNIT = 8,
	AUTHENTICATION_UNIT = 4, /* RFC 4302 section 2.2 */
	FRAGMENT_OFFSET = 2,
	FRAGMENT_OFFSET_MASK = 0xfff8,
};

/* RFC 4861 section 4: messages from router solicitation to redirect, and their options. */
enum {
	ICMPV6_CHECKSUM = 2,
	ND_FIRST = 133,
	ND_LAST = 137,
	OPTION_UNIT = 8,
	OPTION_SOURCE = 1,
	OPTION_TARGET = 2,
};

/** Whether the first `bytes` bytes are final: no offload request stores a checksum there. */
static bool
neighbour_is_final(const struct frame *frame, uint32_t bytes)
{
	const struct frame_offload *offload = &frame->offload;

	return offload->flags == 0 || (uint32_t)offload->csum_start + offload->csum_offset >= bytes;
}

static bool
neighbour_is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ || type == TYPE_QINQ_OLD;
}

/** Whether LLC and SNAP headers precede an EtherType (RFC 1042, IEEE 802.1H). */
static bool
neighbour_is_snap(const uint8_t *llc)
{
	return llc[0] == 0xaa && llc[1] == 0xaa && llc[2] == 3 && llc[3] == 0 && llc[4] == 0 &&
	       (llc[5] == 0 || llc[5] == 0xf8);
}

/**
 * Find the EtherType after all tags, and after LLC and SNAP headers.
 *
 * @param at receives the offset after the EtherType
 * @return EtherType; TYPE_MIN for LLC without SNAP; 0 if the head ends before it
 */
static uint16_t
neighbour_ethertype(const struct frame *frame, uint32_t *at)
{
	*at = FRAME_ETH_LEN;
	for (unsigned i = 0; i < TAGS_MAX && *at <= frame->head_len; i++) {
		uint16_t type = frame_be16(frame->head + *at - sizeof(type));
		if (neighbour_is_tag(type)) {
			*at += FRAME_TAG_LEN;
			continue;
		}
		if (type >= TYPE_MIN)
			return type;
		if (*at + SNAP_LEN > frame->head_len)
			return 0;
		if (!neighbour_is_snap(frame->head + *at))
			return TYPE_MIN;
		*at += SNAP_LEN;
	}
	return 0;
}

/** Check the sender of ARP or RARP. @return true if the frame may pass */
static bool
neighbour_check_arp(const struct frame *frame, uint32_t at, const struct macs *macs)
{
	const uint8_t *arp = frame->head + at;

	if (at + ARP_SENDER + MAC_BYTES > frame->head_len || arp[ARP_ADDRESS_LEN] != MAC_BYTES)
		return false;
	return frame->offload.flags == 0 && macs_has(macs, mac_load(arp + ARP_SENDER));
}

/** Check the options of a neighbour discovery message. @return true if the frame may pass */
static bool
neighbour_check_options(const uint8_t *head, uint32_t at, uint32_t end, const struct macs *macs)
{
	for (unsigned i = 0; at < end; i++) {
		const uint8_t *option = head + at;
		if (i == OPTIONS_MAX || at + OPTION_UNIT > end || option[1] == 0)
			return false;
		at += option[1] * (uint32_t)OPTION_UNIT;
		if (option[0] != OPTION_SOURCE && option[0] != OPTION_TARGET)
			continue;
		if (option[1] != 1 || !macs_has(macs, mac_load(option + 2)))
			return false;
	}
	return at == end;
}

/**
 * Check a neighbour discovery message.
 *
 * @param at offset of the message in the head
 * @param end offset of the end of the packet
 * @return true if the frame may pass
 */
static bool
neighbour_check_nd(const struct frame *frame, uint32_t at, uint32_t end, const struct macs *macs)
{
	static const uint8_t options[] = {8, 16, 24, 24, 40};
	const struct frame_offload *offload = &frame->offload;
	uint32_t field = (uint32_t)offload->csum_start + offload->csum_offset;

	if (offload->flags != 0 && (offload->flags != FRAME_CSUM || field != at + ICMPV6_CHECKSUM))
		return false;
	at += options[frame->head[at] - ND_FIRST];
	return at <= end && end <= frame->head_len &&
	       neighbour_check_options(frame->head, at, end, macs);
}

static bool
neighbour_is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT ||
	       protocol == IPPROTO_AH;
}

static uint32_t
neighbour_extension_len(uint8_t protocol, const uint8_t *header)
{
	if (protocol == IPPROTO_FRAGMENT)
		return EXTENSION_UNIT;
	if (protocol == IPPROTO_AH)
		return (header[1] + 2U) * AUTHENTICATION_UNIT;
	return (header[1] + 1U) * EXTENSION_UNIT;
}

/** Check an IPv6 packet. @param l3 offset of its header @return true if the frame may pass */
static bool
neighbour_check_ipv6(const struct frame *frame, uint32_t l3, const struct macs *macs)
{
	const uint8_t *head = frame->head;
	uint32_t at = l3 + IPV6_LEN;
	bool fragment = false;

	if (at > frame->head_len)
		return false;
	uint8_t protocol = head[l3 + IPV6_NEXT];
	for (unsigned i = 0; neighbour_is_extension(protocol); i++) {
		if (i == EXTENSIONS_MAX || at + EXTENSION_UNIT > frame->head_len)
			return false;
		if (protocol == IPPROTO_FRAGMENT) {
			fragment = true;
			/* Extension headers of a later fragment might replace those of the first. */
			if ((frame_be16(head + at + FRAGMENT_OFFSET) & FRAGMENT_OFFSET_MASK) != 0)
				return !neighbour_is_extension(head[at]) &&
				       neighbour_is_final(frame, at + EXTENSION_UNIT);
		}
		uint8_t next = head[at];
		at += neighbour_extension_len(protocol, head + at);
		protocol = next;
	}
	if (protocol != IPPROTO_ICMPV6)
		return neighbour_is_final(frame, at);
	if (at >= frame->head_len || !neighbour_is_final(frame, at + ICMPV6_CHECKSUM))
		return false;
	if (head[at] < ND_FIRST || head[at] > ND_LAST)
		return true;
	uint32_t end = l3 + IPV6_LEN + frame_be16(head + l3 + IPV6_PAYLOAD_LEN);
	return !fragment && neighbour_check_nd(frame, at, end, macs);
}

bool
neighbour_may_pass(const struct frame *frame, const struct macs *macs)
{
	uint32_t at;

	switch (neighbour_ethertype(frame, &at)) {
	case 0:
		return false;
	case RTE_ETHER_TYPE_ARP:
	case RTE_ETHER_TYPE_RARP:
		return neighbour_check_arp(frame, at, macs);
	case RTE_ETHER_TYPE_IPV6:
		return neighbour_check_ipv6(frame, at, macs);
	default:
		return neighbour_is_final(frame, at);
	}
}
