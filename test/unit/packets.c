/* SPDX-License-Identifier: BSD-3-Clause */
#include "packets.h"

#include <stdlib.h>
#include <string.h>

enum {
	TYPE_VLAN = 0x8100,
	TYPE_SERVICE = 0x88a8,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	PROTO_HOP_BY_HOP = 0,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_DESTINATION = 60,
	PROTO_NONE = 59,
	ETH_LEN = 14,
	TAG_LEN = 4,
	IPV4_LEN = 20,
	IPV6_LEN = 40,
	TCP_LEN = 20,
	UDP_LEN = 8,
	ADDRESS_LEN = 16,
	ROUTE_LEN = 8, /* and the addresses of the route */
	ROUTE_SEGMENTS = 4,
	HOME_LEN = 24,
	HOME_ADDRESS = 201,
	HOME_AT = 8, /* of the address in the destination options */
};

/** Source and destination of the pseudo header. */
struct ends {
	const uint8_t *from, *to;
	uint8_t size; /**< length of each, in bytes */
};

#define EXAMPLE_DST UINT64_C(0x0100000000002)
#define EXAMPLE_SRC UINT64_C(0x0200000000002)

uint16_t
packet_l3(const struct packet *packet)
{
	return ETH_LEN + (packet->tagged ? TAG_LEN : 0) + (packet->outer ? TAG_LEN : 0);
}

static uint16_t
route_len(const struct packet *packet)
{
	return packet->segments > 0 ? (uint16_t)(ROUTE_LEN + ADDRESS_LEN * packet->segments) : 0;
}

uint16_t
packet_l4(const struct packet *packet)
{
	return (uint16_t)(packet_l3(packet) + (packet->ipv6 ? IPV6_LEN : IPV4_LEN) +
			  packet->ip_options + route_len(packet) + (packet->home ? HOME_LEN : 0));
}

uint16_t
packet_headers(const struct packet *packet)
{
	return (uint16_t)(packet_l4(packet) +
			  (packet->udp ? UDP_LEN : TCP_LEN + packet->tcp_options));
}

uint32_t
packet_length(const struct packet *packet)
{
	return packet_headers(packet) + packet->payload;
}

uint16_t
packet_sum(const uint8_t *bytes, size_t length, uint16_t start)
{
	uint64_t sum = start;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint64_t)bytes[i] << 8 : bytes[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** RFC 9293 section 3.1 and RFC 8200 section 8.1. */
static uint16_t
pseudo_sum(const struct ends *ends, uint8_t protocol, uint32_t length)
{
	uint8_t tail[8] = {0};

	packet_put32(tail, length);
	tail[7] = protocol;
	uint16_t sum = packet_sum(ends->from, ends->size, packet_sum(tail, sizeof(tail), 0));
	return packet_sum(ends->to, ends->size, sum);
}

static struct ends
ends_of(const uint8_t *ip, bool ipv6)
{
	return ipv6 ? (struct ends){ip + 8, ip + 24, ADDRESS_LEN}
		    : (struct ends){ip + 12, ip + 16, 4};
}

/**
 * Write the IPv6 headers behind the first; set the addresses of the pseudo header. @return next
 * header
 */
static uint8_t
walk_ipv6(const uint8_t *ip, size_t length, struct ends *ends, size_t *at)
{
	uint8_t protocol = ip[6];

	*at = IPV6_LEN;
	*ends = ends_of(ip, true);
	while (protocol == PROTO_HOP_BY_HOP || protocol == PROTO_ROUTING ||
		protocol == PROTO_DESTINATION) {
		if (*at + 8 > length || *at + (ip[*at + 1] + 1u) * 8 > length)
			return PROTO_NONE;
		const uint8_t *header = ip + *at;
		/* RFC 8754 section 2.1: the first address of the list is the final destination. */
		if (protocol == PROTO_ROUTING && header[2] == ROUTE_SEGMENTS && header[3] > 0)
			ends->to = header + ROUTE_LEN;
		if (protocol == PROTO_DESTINATION && header[1] == 2 && header[6] == HOME_ADDRESS)
			ends->from = header + HOME_AT;
		protocol = header[0];
		*at += (header[1] + 1u) * 8;
	}
	return protocol;
}

static void
write_mac(uint64_t mac, uint8_t *bytes)
{
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(mac >> (8 * i));
}

static void
write_ethernet(const struct packet *packet, uint8_t *bytes)
{
	write_mac(packet->dst != 0 ? packet->dst : EXAMPLE_DST, bytes);
	write_mac(packet->src != 0 ? packet->src : EXAMPLE_SRC, bytes + 6);
	if (packet->outer) {
		packet_put16(bytes + 12, TYPE_SERVICE);
		packet_put16(bytes + 14, 0x0123);
	}
	if (packet->tagged) {
		packet_put16(bytes + packet_l3(packet) - 6, TYPE_VLAN);
		packet_put16(bytes + packet_l3(packet) - 4, packet->vlan);
	}
	packet_put16(bytes + packet_l3(packet) - 2, packet->ipv6 ? TYPE_IPV6 : TYPE_IPV4);
}

static void
write_ipv4(const struct packet *packet, uint8_t *ip)
{
	uint16_t header = (uint16_t)(IPV4_LEN + packet->ip_options);

	memset(ip, 0, header);
	ip[0] = (uint8_t)(0x40 | header / 4);
	packet_put16(ip + 2, (uint16_t)(packet_length(packet) - packet_l3(packet)));
	packet_put16(ip + 4, packet->id);
	packet_put16(ip + 6, packet->fragment ? 0x2000 : 0);
	ip[8] = 64;
	ip[9] = packet->udp ? PROTO_UDP : PROTO_TCP;
	packet_put32(ip + 12, 0x0a000001);
	packet_put32(ip + 16, 0x0a000002);
	memset(ip + IPV4_LEN, 1, packet->ip_options);
	packet_put16(ip + 10, (uint16_t)~packet_sum(ip, header, 0));
}

static void
write_address(uint8_t *address, uint32_t host)
{
	packet_put32(address, 0xfd000000);
	packet_put32(address + 12, host);
}

/** The list begins with the final destination; `left` segments remain, RFC 8754 section 2. */
static void
write_route(const struct packet *packet, uint8_t *header)
{
	header[1] = (uint8_t)(2 * packet->segments);
	header[2] = ROUTE_SEGMENTS;
	header[3] = packet->left;
	header[4] = (uint8_t)(packet->segments - 1);
	for (unsigned i = 0; i < packet->segments; i++)
		write_address(header + ROUTE_LEN + i * ADDRESS_LEN, 2 + i);
}

static void
write_ipv6(const struct packet *packet, uint8_t *ip)
{
	uint8_t protocol = packet->udp ? PROTO_UDP : PROTO_TCP;

	memset(ip, 0, packet_l4(packet) - packet_l3(packet));
	ip[0] = 0x60;
	packet_put16(ip + 4, (uint16_t)(packet_length(packet) - packet_l3(packet) - IPV6_LEN));
	uint8_t *next = ip + 6, *header = ip + IPV6_LEN;
	if (packet->ip_options > 0) {
		*next = PROTO_HOP_BY_HOP;
		/* Padded by one option, RFC 8200 section 4.2. */
		header[1] = (uint8_t)(packet->ip_options / 8 - 1);
		header[2] = 1;
		header[3] = (uint8_t)(packet->ip_options - 4);
		next = header;
		header += packet->ip_options;
	}
	if (packet->segments > 0) {
		*next = PROTO_ROUTING;
		write_route(packet, header);
		next = header;
		header += route_len(packet);
	}
	if (packet->home) {
		*next = PROTO_DESTINATION;
		/* A home address option at offset 8, aligned as RFC 6275 section 6.3 requires. */
		memcpy(header, (uint8_t[]){0, 2, 1, 2, 0, 0, HOME_ADDRESS, ADDRESS_LEN}, 8);
		write_address(header + HOME_AT, 77);
		next = header;
	}
	*next = protocol;
	ip[7] = 64;
	write_address(ip + 8, 1);
	write_address(ip + 24, 2 + packet->left);
}

static void
write_l4(const struct packet *packet, uint8_t *l4, uint16_t pseudo)
{
	uint16_t src_port = packet->src_port != 0 ? packet->src_port : 40000;

	memset(l4, 0, packet_headers(packet) - packet_l4(packet));
	packet_put16(l4, src_port);
	packet_put16(l4 + 2, 5001);
	if (packet->udp) {
		packet_put16(l4 + 4, (uint16_t)(UDP_LEN + packet->payload));
		packet_put16(l4 + PACKET_UDP_CSUM, pseudo);
		return;
	}
	packet_put32(l4 + 4, packet->seq);
	packet_put32(l4 + 8, 0x12345678);
	l4[12] = (uint8_t)((TCP_LEN + packet->tcp_options) / 4 << 4);
	l4[PACKET_TCP_FLAGS] = packet->flags;
	packet_put16(l4 + 14, 0xfff0);
	packet_put16(l4 + PACKET_TCP_CSUM, pseudo);
	memset(l4 + TCP_LEN, 1, packet->tcp_options);
}

void
packet_write(const struct packet *packet, uint8_t *bytes)
{
	uint8_t *l3 = bytes + packet_l3(packet);
	uint16_t headers = packet_headers(packet);

	write_ethernet(packet, bytes);
	struct ends ends = ends_of(l3, packet->ipv6);
	size_t at;

	if (packet->ipv6)
		write_ipv6(packet, l3);
	else
		write_ipv4(packet, l3);
	if (packet->ipv6)
		walk_ipv6(l3, headers, &ends, &at);
	write_l4(packet, bytes + packet_l4(packet),
		pseudo_sum(&ends, packet->udp ? PROTO_UDP : PROTO_TCP,
			packet_length(packet) - packet_l4(packet)));
	for (uint32_t i = 0; i < packet->payload; i++)
		bytes[headers + i] = (uint8_t)(packet->payload_first + i);
}

static const char *
wrong_l4(const struct ends *ends, uint8_t protocol, const uint8_t *l4, size_t length)
{
	if (protocol == PROTO_UDP && length >= UDP_LEN) {
		if (packet_get16(l4 + 4) != length)
			return "length of UDP";
		if (packet_get16(l4 + PACKET_UDP_CSUM) == 0)
			return "no checksum of UDP";
	} else if (protocol != PROTO_TCP || length < TCP_LEN) {
		return "neither TCP nor UDP";
	}
	return packet_sum(l4, length, pseudo_sum(ends, protocol, (uint32_t)length)) == 0xffff
		       ? NULL
		       : "checksum of TCP or UDP";
}

static const char *
wrong_ipv4(const uint8_t *ip, size_t length)
{
	size_t header = (size_t)(ip[0] & 0xf) * 4;

	if (ip[0] >> 4 != 4 || header < IPV4_LEN || header > length)
		return "IPv4 header";
	if (packet_get16(ip + 2) != length)
		return "length of IPv4";
	if (packet_sum(ip, header, 0) != 0xffff)
		return "checksum of IPv4";
	const struct ends ends = ends_of(ip, false);
	return wrong_l4(&ends, ip[9], ip + header, length - header);
}

static const char *
wrong_ipv6(const uint8_t *ip, size_t length)
{
	if (ip[0] >> 4 != 6)
		return "IPv6 header";
	if ((size_t)packet_get16(ip + 4) + IPV6_LEN != length)
		return "length of IPv6";
	struct ends ends;
	size_t at;
	uint8_t protocol = walk_ipv6(ip, length, &ends, &at);
	if (protocol == PROTO_NONE)
		return "IPv6 options";
	return wrong_l4(&ends, protocol, ip + at, length - at);
}

const char *
packet_wrong(const uint8_t *bytes, size_t length)
{
	size_t l3 = ETH_LEN;

	while (l3 <= ETH_LEN + TAG_LEN && l3 + TAG_LEN <= length &&
		(packet_get16(bytes + l3 - 2) == TYPE_VLAN ||
			packet_get16(bytes + l3 - 2) == TYPE_SERVICE))
		l3 += TAG_LEN;
	uint16_t type = packet_get16(bytes + l3 - 2);

	if (type == TYPE_IPV4 && length >= l3 + IPV4_LEN)
		return wrong_ipv4(bytes + l3, length - l3);
	if (type == TYPE_IPV6 && length >= l3 + IPV6_LEN)
		return wrong_ipv6(bytes + l3, length - l3);
	return "neither IPv4 nor IPv6";
}

struct rte_mbuf *
packet_chain(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length, uint16_t first,
	uint16_t rest)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool);
	struct rte_mbuf *mbuf = head;
	uint32_t done = 0, want = first;

	for (;;) {
		uint32_t space = rte_pktmbuf_tailroom(mbuf);
		uint32_t part = RTE_MIN(length - done, want > 0 ? RTE_MIN(want, space) : space);
		memcpy(rte_pktmbuf_mtod(mbuf, void *), bytes + done, part);
		mbuf->data_len = (uint16_t)part;
		done += part;
		want = rest;
		if (done == length)
			break;
		mbuf = mbuf->next = rte_pktmbuf_alloc(pool);
		head->nb_segs++;
	}
	head->pkt_len = length;
	return head;
}

struct rte_mbuf *
packet_mbuf(struct rte_mempool *pool, const struct packet *packet, uint16_t first, uint16_t rest)
{
	uint8_t *bytes = malloc(packet_length(packet));

	packet_write(packet, bytes);
	struct rte_mbuf *mbuf = packet_chain(pool, bytes, packet_length(packet), first, rest);
	mbuf->l2_len = packet_l3(packet);
	free(bytes);
	return mbuf;
}

uint32_t
packet_read(const struct rte_mbuf *mbuf, uint8_t *bytes)
{
	uint32_t length = 0;

	for (; mbuf != NULL; mbuf = mbuf->next) {
		memcpy(bytes + length, rte_pktmbuf_mtod(mbuf, const void *), mbuf->data_len);
		length += mbuf->data_len;
	}
	return length;
}
