/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the layers of a frame begin, found in the frame's own headers: what a sender claims in its
 * offload request is believed only where the headers bear it out.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_FRAME_LAYERS_H
#define SHUNT_FRAME_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

enum { LAYERS_TAGS_MAX = 2 }; /**< IEEE 802.1ad: a service tag and a customer tag */

struct layers {
	uint16_t l3;      /**< offset of the IP header: Ethernet header and tags are before it */
	uint16_t l4;      /**< offset of what IP carries, after options and extension headers */
	uint8_t protocol; /**< of layer 4, as IANA numbers them */
	bool ipv6;
};

/**
 * How many tags does a frame begin with, customer (0x8100) and service tags (0x88a8) alike?
 *
 * @param len bytes of the head
 * @return LAYERS_TAGS_MAX + 1 where there are more than LAYERS_TAGS_MAX
 */
unsigned layers_tags(const uint8_t *head, uint32_t len);

/**
 * Walk the headers of an IP packet in an Ethernet frame with up to LAYERS_TAGS_MAX tags: IPv4 with
 * its options; IPv6 with hop-by-hop, routing and destination options (RFC 8200 section 4).
 *
 * @param head the frame's first bytes, in memory that nobody writes meanwhile
 * @param len how many bytes are there
 * @return 0; -EINVAL for what is no IP packet, a fragment, or whose headers are cut short. What
 *         follows an unknown header, or hop-by-hop options out of their place, is not looked at:
 *         `protocol` is then that header's.
 */
int layers_find(const uint8_t *head, uint32_t len, struct layers *layers);

#endif
