/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for tests, written and verified byte by byte from the RFCs, without the code under test
 * and without DPDK's checksum functions.
 *
 * Thread safety: pure functions, but for the pool.
 */
#ifndef SHUNT_TEST_PACKETS_H
#define SHUNT_TEST_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum { PACKET_MAX = 300000, PACKET_TCP_FLAGS = 13, PACKET_TCP_CSUM = 16, PACKET_UDP_CSUM = 6 };
enum {
	PACKET_FIN = 0x01,
	PACKET_PSH = 0x08,
	PACKET_ACK = 0x10,
	PACKET_ECE = 0x40,
	PACKET_CWR = 0x80
};

/** Description of a packet. The payload bytes count up from payload_first. */
struct packet {
	uint64_t dst, src; /**< in the form of mac_load(); 0: an example address */
	bool tagged;
	uint16_t vlan; /**< the whole tag control information */
	bool outer;    /**< tagged frames: a service tag (802.1ad) before the other */
	bool ipv6;
	bool udp;
	bool fragment;
	uint8_t ip_options;  /**< bytes after the IPv4 header, a multiple of 4; IPv6: of 8 */
	uint8_t segments;    /**< of a segment routing header (RFC 8754) behind IPv6 options */
	uint8_t left;        /**< segments left, at most `segments` */
	bool home;           /**< IPv6: last, destination options with a home address (RFC 6275) */
	uint8_t tcp_options; /**< bytes after the TCP header, a multiple of 4 */
	uint8_t flags;       /**< of TCP */
	uint16_t id;         /**< of IPv4 */
	uint32_t seq;        /**< of TCP */
	uint16_t src_port;   /**< 0: an example port */
	uint32_t payload;    /**< bytes after all headers */
	uint8_t payload_first;
};

/** Offsets and lengths. */
uint16_t packet_l3(const struct packet *packet);
uint16_t packet_l4(const struct packet *packet);
uint16_t packet_headers(const struct packet *packet);
uint32_t packet_length(const struct packet *packet);

/**
 * Write a frame whose lengths and IPv4 header checksum are right. The checksum of TCP or UDP holds
 * the sum of the pseudo header, as a guest with checksum offload writes it.
 *
 * @param bytes packet_length() of them
 */
void packet_write(const struct packet *packet, uint8_t *bytes);

/** One's complement sum (RFC 1071) of bytes, an odd last one padded; not complemented. */
uint16_t packet_sum(const uint8_t *bytes, size_t length, uint16_t start);

/** @return NULL if lengths and checksums of a complete frame are right; else what is wrong */
const char *packet_wrong(const uint8_t *bytes, size_t length);

/**
 * Put bytes into an mbuf chain.
 *
 * @param first bytes in the first segment; 0 = as many as it takes
 * @param rest bytes in each further segment; 0 = as many as it takes
 */
struct rte_mbuf *packet_chain(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length,
	uint16_t first, uint16_t rest);

/** packet_write() and packet_chain() in one; sets l2_len too. */
struct rte_mbuf *packet_mbuf(
	struct rte_mempool *pool, const struct packet *packet, uint16_t first, uint16_t rest);

/** Copy the bytes of a chain. @return how many */
uint32_t packet_read(const struct rte_mbuf *mbuf, uint8_t *bytes);

static inline uint16_t
packet_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t
packet_get32(const uint8_t *bytes)
{
	return (uint32_t)packet_get16(bytes) << 16 | packet_get16(bytes + 2);
}

static inline void
packet_put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline void
packet_put32(uint8_t *bytes, uint32_t value)
{
	packet_put16(bytes, (uint16_t)(value >> 16));
	packet_put16(bytes + 2, (uint16_t)value);
}

#endif
