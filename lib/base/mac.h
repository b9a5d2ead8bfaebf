/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MAC addresses as 48-bit numbers, first byte on the wire in the lowest bits, as a load yields them
 * on little-endian x86.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_BASE_MAC_H
#define SHUNT_BASE_MAC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** The bits of an address. */
#define MAC_MASK UINT64_C(0xffffffffffff)

enum { MAC_BYTES = 6, MAC_TEXT_MAX = 18 };

/**
 * Load an address.
 *
 * @param bytes as on the wire, at any alignment
 * @return the address, below 2^48
 */
static inline uint64_t
mac_load(const uint8_t bytes[MAC_BYTES])
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, bytes, sizeof(low));
	memcpy(&high, bytes + sizeof(low), sizeof(high));
	return low | (uint64_t)high << 32;
}

/**
 * Test the Individual/Group bit, IEEE 802 clause 8.2.2.
 *
 * @param mac address
 * @return true for multicast and broadcast
 */
static inline bool
mac_is_group(uint64_t mac)
{
	return mac & 1;
}

/**
 * Test whether an address is a valid source (IEEE 802.3 clause 3.2.3).
 *
 * @param mac address
 * @return false for group, broadcast and zero addresses
 */
static inline bool
mac_is_source(uint64_t mac)
{
	return !mac_is_group(mac) && mac != 0;
}

/**
 * Test for 01:80:c2:00:00:00 to 0f, which IEEE 802.1Q reserves (table 8-1); see features/reserved/reserved.h.
 *
 * @param mac address
 * @return true if the address is reserved
 */
static inline bool
mac_is_reserved(uint64_t mac)
{
	return (mac & UINT64_C(0xf0ffffffffff)) == UINT64_C(0x000000c28001);
}

/**
 * Parse "02:00:00:00:00:01": two hexadecimal digits per byte, separated by ':' or '-'.
 *
 * @param text untrusted
 * @param mac receives the address, below 2^48
 * @return 0, or -EINVAL with *mac untouched
 */
int mac_parse(const char *text, uint64_t *mac);

/**
 * Print as "02:00:00:00:00:01".
 *
 * @param mac address, below 2^48
 * @return `text`
 */
char *mac_format(uint64_t mac, char text[MAC_TEXT_MAX]);

#endif
