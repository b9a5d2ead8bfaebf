/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Test frames: Ethernet, an optional VLAN tag, IPv4, UDP (TCP for TSO), a mark of 14 bytes, a body.
 *
 * Sizes include the 4 bytes of FCS, which are not in the buffer: size 64 is a buffer of 60 bytes.
 * The mark holds the frame's number in its flow and the time of sending. Its checksum covers flow,
 * mark and body, and excludes fields that a switch may rewrite (addresses, tags, IP).
 *
 * Thread safety: pure functions on the caller's bytes.
 */
#ifndef SHUNT_VM_FRAME_H
#define SHUNT_VM_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vring.h"

enum {
	FRAME_FCS = 4,
	FRAME_SIZE_MIN = 64,
	FRAME_SIZE_MAX = 9018,
	FRAME_MARK = 14,
	FRAME_SIZES_MAX = 12, /**< IMIX: 7 + 4 + 1 */
	FRAME_TSO_MSS = 1448,
	FRAME_TSO_BYTES = 14 + 20 + 20 + 45 * FRAME_TSO_MSS, /**< 65,214 */
	FRAME_BUFFER_MAX = 65550, /**< the largest frame that any VM may send */
	FRAME_LINE = 64,
};

/** As mac_load(). */
#define FRAME_BROADCAST UINT64_C(0xffffffffffff)

enum frame_kind { FRAME_FIXED, FRAME_IMIX, FRAME_TSO };

/** Frame sizes of a load. */
struct frame_shape {
	enum frame_kind kind;
	unsigned n;                      /**< number of sizes, sent in turn */
	uint32_t bytes[FRAME_SIZES_MAX]; /**< without FCS */
	uint32_t max;
};

/** Contents of one frame. Addresses as mac_load(). */
struct frame_spec {
	uint64_t dst, src;
	uint32_t dst_ip, src_ip;
	uint16_t flow;
	uint16_t vlan; /**< 0: no tag */
	bool tso, csum;
	uint32_t bytes;
};

enum frame_magic {
	FRAME_LIVE = 0x5348,  /**< numbered for each transmission */
	FRAME_STILL = 0x5349, /**< written once and sent repeatedly; its number is its slot */
};

struct frame_mark {
	uint16_t magic;
	uint32_t number;
	uint32_t stamp; /**< frame_stamp() at the time of sending */
	uint32_t sum;
} __attribute__((packed));

_Static_assert(sizeof(struct frame_mark) == FRAME_MARK, "a VLAN-tagged 64-byte frame holds it");

enum frame_verdict {
	FRAME_GOOD,
	FRAME_FOREIGN, /**< not built by this program */
	FRAME_CORRUPT,
};

struct frame_seen {
	uint16_t flow;
	struct frame_mark mark;
};

/** Parse "64", "imix", "tso". @return 0, -EINVAL */
int frame_shape_parse(struct frame_shape *shape, const char *text, struct err *err);

/** @return mean length in bytes, without FCS */
double frame_shape_mean(const struct frame_shape *shape);

/** Write headers and body. frame_seal() writes the mark. */
void frame_build(uint8_t *frame, const struct frame_spec *spec);

/** @return the virtio-net header for the frame */
struct net_header frame_header(const struct frame_spec *spec);

/**
 * Get the virtio-net header that offloads the checksum of a TCP or UDP frame over IPv4, and the
 * segmentation of a TCP frame that is too long for the wire. All zero for other frames.
 */
struct net_header frame_offload(const uint8_t *frame, uint32_t bytes);

/**
 * Write the mark and its checksum.
 *
 * @param fresh also write a word in each cache line of the body
 */
void frame_seal(uint8_t *frame, uint32_t bytes, enum frame_magic magic, uint32_t number,
	uint32_t stamp, bool fresh);

/**
 * Check a received frame and read its mark.
 *
 * @param header of virtio-net: unless it has NEEDS_CSUM or DATA_VALID, a UDP checksum must be valid
 * @param seen set for FRAME_GOOD
 */
enum frame_verdict frame_check(const uint8_t *frame, uint32_t bytes,
	const struct net_header *header, struct frame_seen *seen);

/** @return time in units of 16 TSC ticks; 32 bits wrap after 23 s at 3 GHz */
static inline uint32_t
frame_stamp(uint64_t tsc)
{
	return (uint32_t)(tsc >> 4);
}

#endif
