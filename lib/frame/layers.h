/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds the layers of a frame in its headers. The values of a sender's offload request are accepted
 * only if the headers confirm them.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FRAME_LAYERS_H
#define SHUNT_FRAME_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

enum { LAYERS_TAGS_MAX = 2 }; /**< a service and a customer tag (IEEE 802.1ad) */

/** Where the layers of an IP packet in a frame begin; bytes from the start of the frame. */
struct layers {
	uint16_t l3;      /**< offset of the IP header, after Ethernet header and tags */
	uint16_t l4;      /**< offset of the IP payload, after options and extension headers */
	uint8_t protocol; /**< IANA protocol number of the IP payload */
	bool ipv6;
};

/**
 * Count the VLAN tags of a frame, customer (0x8100) and service tags (0x88a8) alike.
 *
 * @param head first bytes of the frame, in memory that does not change during the call
 * @param len bytes of the head
 * @return number of tags; LAYERS_TAGS_MAX + 1 if there are more than LAYERS_TAGS_MAX
 */
unsigned layers_tags(const uint8_t *head, uint32_t len);

/**
 * Walk the headers of an IP packet in an Ethernet frame with up to LAYERS_TAGS_MAX tags: IPv4 with
 * its options; IPv6 with hop-by-hop, routing and destination options (RFC 8200 section 4).
 *
 * @param head first bytes of the frame, in memory that does not change during the call
 * @param len bytes of the head
 * @return 0; -EINVAL: not an IP packet, a fragment, or truncated headers. The walk ends at an
 *         unknown header or at misplaced hop-by-hop options; `protocol` is then the number of that
 *         header.
 */
int layers_find(const uint8_t *head, uint32_t len, struct layers *layers);

#endif
