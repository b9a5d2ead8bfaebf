/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow hash of a frame: CRC32C of IP addresses and TCP or UDP ports, else of MAC addresses. */
#include "frame/hash.h"

#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>

/** Add the ports of a TCP or UDP header at `offset` to a hash. @return the hash */
static uint32_t
hash_ports(const struct frame *frame, uint32_t offset, uint8_t protocol, uint32_t hash)
{
	uint32_t ports;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return hash;
	if (offset + sizeof(ports) > frame->head_len)
		return hash;
	memcpy(&ports, frame->head + offset, sizeof(ports));
	return rte_hash_crc_4byte(ports, hash);
}

/** Hash of an IPv4 packet at `l3`: addresses and ports. @return 0: truncated */
static uint32_t
hash_ipv4(const struct frame *frame, uint32_t l3)
{
	struct rte_ipv4_hdr ip;

	if (l3 + sizeof(ip) > frame->head_len)
		return 0;
	memcpy(&ip, frame->head + l3, sizeof(ip));
	uint32_t hash =
		rte_hash_crc_8byte(ip.src_addr | (uint64_t)ip.dst_addr << 32, ip.next_proto_id);
	uint16_t fragment = rte_be_to_cpu_16(ip.fragment_offset);
	if (fragment & (RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG))
		return hash;
	return hash_ports(frame, l3 + rte_ipv4_hdr_len(&ip), ip.next_proto_id, hash);
}

/** Hash of an IPv6 packet at `l3`: addresses and ports. @return 0: truncated */
static uint32_t
hash_ipv6(const struct frame *frame, uint32_t l3)
{
	struct rte_ipv6_hdr ip;
	uint64_t addresses[4]; /* source and destination */

	if (l3 + sizeof(ip) > frame->head_len)
		return 0;
	memcpy(&ip, frame->head + l3, sizeof(ip));
	memcpy(addresses, frame->head + l3 + offsetof(struct rte_ipv6_hdr, src_addr),
		sizeof(addresses));
	uint32_t hash = rte_hash_crc(addresses, sizeof(addresses), ip.proto);
	return hash_ports(frame, l3 + sizeof(ip), ip.proto, hash);
}

uint32_t
frame_flow_hash(const struct frame *frame)
{
	uint32_t hash = 0;

	switch (frame_be16(frame->head + frame->l2_len - 2)) {
	case RTE_ETHER_TYPE_IPV4:
		hash = hash_ipv4(frame, frame->l2_len);
		break;
	case RTE_ETHER_TYPE_IPV6:
		hash = hash_ipv6(frame, frame->l2_len);
		break;
	}
	if (hash != 0)
		return hash;
	uint64_t macs[2]; /* rte_hash_crc() needs aligned data */
	memcpy(macs, frame->head, FRAME_MACS_LEN);
	return rte_hash_crc(macs, FRAME_MACS_LEN, frame->vlan);
}
