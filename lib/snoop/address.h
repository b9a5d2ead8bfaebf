/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP addresses for snooping: both families in one form, IPv4 as IPv4-mapped IPv6 addresses
 * (RFC 4291 section 2.5.5.2).
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_SNOOP_ADDRESS_H
#define SHUNT_SNOOP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SNOOP_IP_TEXT_MAX = 46 };

/** An IPv4 or IPv6 address. */
struct snoop_ip {
	uint8_t bytes[16]; /**< in network byte order */
};

/** Make an address of an IPv4 address. @param bytes in network byte order @return the address */
static inline struct snoop_ip
snoop_ip4(const uint8_t bytes[4])
{
	struct snoop_ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};

	memcpy(ip.bytes + 12, bytes, 4);
	return ip;
}

/** Make an address of an IPv6 address. @param bytes in network byte order @return the address */
static inline struct snoop_ip
snoop_ip6(const uint8_t bytes[16])
{
	struct snoop_ip ip;

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	return ip;
}

/** @return true if two addresses are equal */
static inline bool
snoop_ip_equal(const struct snoop_ip *a, const struct snoop_ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/** @return true if an address is an IPv4 address */
static inline bool
snoop_ip_is_v4(const struct snoop_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

/** Whether an address is 0.0.0.0 or :: */
static inline bool
snoop_ip_is_unspecified(const struct snoop_ip *ip)
{
	static const uint8_t zeros[16];
	unsigned from = snoop_ip_is_v4(ip) ? 12 : 0;

	return memcmp(ip->bytes + from, zeros, 16 - from) == 0;
}

/** Whether an address is a multicast group: 224.0.0.0/4 or ff00::/8. */
static inline bool
snoop_ip_is_group(const struct snoop_ip *ip)
{
	return ip->bytes[0] == 0xff || (snoop_ip_is_v4(ip) && ip->bytes[12] >> 4 == 0xe);
}

/**
 * Check whether frames to a group are always flooded, since hosts need not report membership:
 * 224.0.0.0/24 (RFC 4541 section 2.1.2), ff02::1 and scopes smaller than link-local (RFC 3810
 * section 6).
 *
 * @return true if they are
 */
static inline bool
snoop_ip_is_for_all(const struct snoop_ip *ip)
{
	static const uint8_t local[3] = {0xe0, 0, 0};
	static const uint8_t nodes[16] = {0xff, 0x02, [15] = 1};

	if (snoop_ip_is_v4(ip))
		return memcmp(ip->bytes + 12, local, sizeof(local)) == 0;
	return (ip->bytes[1] & 0xf) < 2 || memcmp(ip->bytes, nodes, sizeof(nodes)) == 0;
}

/** Whether an IPv6 group has link-local scope, as those of neighbour discovery have: ff02::/16. */
static inline bool
snoop_ip_is_link_scope(const struct snoop_ip *ip)
{
	return ip->bytes[0] == 0xff && (ip->bytes[1] & 0xf) == 2;
}

/** Print an address as "239.1.2.3" or "ff02::fb". @param text receives the text @return text */
char *snoop_ip_format(const struct snoop_ip *ip, char text[SNOOP_IP_TEXT_MAX]);

#endif
