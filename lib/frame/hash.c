/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/hash.h"

#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>

enum {
	HASH_IPV4 = 0x0800,
	HASH_IPV6 = 0x86dd,
	HASH_PORTS_LEN = 4,
};

static uint32_t
hash_ports(const struct frame *frame, uint32_t offset, uint8_t protocol, uint32_t hash)
{
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return hash;
	if (offset + HASH_PORTS_LEN > frame->head_len)
		return hash;
	return rte_hash_crc(frame->head + offset, HASH_PORTS_LEN, hash);
}

static uint32_t
hash_ipv4(const struct frame *frame, uint32_t l3)
{
	struct rte_ipv4_hdr ip;

	if (l3 + sizeof(ip) > frame->head_len)
		return 0;
	memcpy(&ip, frame->head + l3, sizeof(ip));
	uint32_t hash = rte_hash_crc(&ip.src_addr, 2 * sizeof(ip.src_addr), ip.next_proto_id);
	uint16_t fragment = rte_be_to_cpu_16(ip.fragment_offset);
	if (fragment & (RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG))
		return hash;
	return hash_ports(frame, l3 + rte_ipv4_hdr_len(&ip), ip.next_proto_id, hash);
}

static uint32_t
hash_ipv6(const struct frame *frame, uint32_t l3)
{
	struct rte_ipv6_hdr ip;

	if (l3 + sizeof(ip) > frame->head_len)
		return 0;
	memcpy(&ip, frame->head + l3, sizeof(ip));
	uint32_t hash = rte_hash_crc(ip.src_addr, sizeof(ip.src_addr), ip.proto);
	hash = rte_hash_crc(ip.dst_addr, sizeof(ip.dst_addr), hash);
	return hash_ports(frame, l3 + sizeof(ip), ip.proto, hash);
}

uint32_t
frame_flow_hash(const struct frame *frame)
{
	const uint8_t *type = frame->head + frame->l2_len - 2;
	uint32_t hash = 0;

	switch (type[0] << 8 | type[1]) {
	case HASH_IPV4:
		hash = hash_ipv4(frame, frame->l2_len);
		break;
	case HASH_IPV6:
		hash = hash_ipv6(frame, frame->l2_len);
		break;
	}
	return hash != 0 ? hash : rte_hash_crc(frame->head, FRAME_MACS_LEN, frame->vlan);
}
