/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses Ethernet, VLAN and IP headers: offsets of the network and transport layers. */
#include "frame/layers.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "frame/frame.h"

enum {
	IPV6_EXTENSIONS_MAX = 8, /* extension headers that are walked */
	IPV6_EXTENSION_UNIT = 8, /* unit of their length in bytes, RFC 8200 section 4 */
};

unsigned
layers_tags(const uint8_t *head, uint32_t len)
{
	unsigned tags = 0;

	for (uint32_t at = FRAME_ETH_LEN; at <= len && tags <= LAYERS_TAGS_MAX;
		at += FRAME_TAG_LEN) {
		uint16_t type = frame_be16(head + at - 2);
		if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ)
			break;
		tags++;
	}
	return tags;
}

/** Find the IP header: set l3. @return EtherType; 0: truncated, or over LAYERS_TAGS_MAX tags */
static uint16_t
layers_ethernet(const uint8_t *head, uint32_t len, struct layers *layers)
{
	unsigned tags = layers_tags(head, len);
	uint32_t at = FRAME_ETH_LEN + tags * FRAME_TAG_LEN;

	if (tags > LAYERS_TAGS_MAX || at > len)
		return 0;
	layers->l3 = (uint16_t)at;
	return frame_be16(head + at - 2);
}

/** Parse the IPv4 header at l3. @return 0; -EINVAL: malformed or a fragment */
static int
layers_ipv4(const uint8_t *head, uint32_t len, struct layers *layers)
{
	const struct rte_ipv4_hdr *ip = (const void *)(head + layers->l3);

	if (layers->l3 + sizeof(*ip) > len || ip->version_ihl >> 4 != 4 ||
		rte_ipv4_hdr_len(ip) < sizeof(*ip))
		return -EINVAL;
	uint16_t fragment = rte_be_to_cpu_16(ip->fragment_offset);
	if (fragment & (RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG))
		return -EINVAL;
	layers->l4 = (uint16_t)(layers->l3 + rte_ipv4_hdr_len(ip));
	layers->protocol = ip->next_proto_id;
	layers->ipv6 = false;
	return layers->l4 <= len ? 0 : -EINVAL;
}

/**
 * Whether a header is an IPv6 extension header that layers_ipv6() skips (RFC 8200 section 4).
 *
 * @param first it follows the IPv6 header; hop-by-hop options are legal only there
 */
static bool
layers_is_extension(uint8_t protocol, bool first)
{
	return (protocol == IPPROTO_HOPOPTS && first) || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS;
}

/** Parse the IPv6 header at l3 and its extension headers. @return 0; -EINVAL: as layers_ipv4() */
static int
layers_ipv6(const uint8_t *head, uint32_t len, struct layers *layers)
{
	const struct rte_ipv6_hdr *ip = (const void *)(head + layers->l3);
	uint32_t at = layers->l3 + sizeof(*ip);

	if (at > len || head[layers->l3] >> 4 != 6)
		return -EINVAL;
	layers->protocol = ip->proto;
	for (unsigned i = 0; layers_is_extension(layers->protocol, i == 0); i++) {
		if (i == IPV6_EXTENSIONS_MAX || at + IPV6_EXTENSION_UNIT > len)
			return -EINVAL;
		layers->protocol = head[at];
		at += (head[at + 1] + 1U) * IPV6_EXTENSION_UNIT;
	}
	layers->l4 = (uint16_t)at;
	layers->ipv6 = true;
	return at <= len && layers->protocol != IPPROTO_FRAGMENT ? 0 : -EINVAL;
}

int
layers_find(const uint8_t *head, uint32_t len, struct layers *layers)
{
	switch (layers_ethernet(head, len, layers)) {
	case RTE_ETHER_TYPE_IPV4:
		return layers_ipv4(head, len, layers);
	case RTE_ETHER_TYPE_IPV6:
		return layers_ipv6(head, len, layers);
	default:
		return -EINVAL;
	}
}
