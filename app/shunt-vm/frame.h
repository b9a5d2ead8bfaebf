/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that this program makes: Ethernet, an optional VLAN tag, IPv4, UDP (TCP for TSO), then
 * a mark of 14 bytes and a body.
 *
 * A size is what occupies the wire: 4 bytes of FCS are counted but not in the buffer, so that size
 * 64 is a buffer of 60 bytes. The mark tells the frame's number in its flow and when it was sent;
 * its checksum covers flow, mark and body, not what a switch may rewrite (addresses, tags, IP).
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

/** Which sizes a load has. */
struct frame_shape {
	enum frame_kind kind;
	unsigned n;                      /**< sizes, sent in turn */
	uint32_t bytes[FRAME_SIZES_MAX]; /**< in the buffer, FCS not counted */
	uint32_t max;
};

/** What stands in one frame. Addresses as mac_load(). */
struct frame_spec {
	uint64_t dst, src;
	uint32_t dst_ip, src_ip;
	uint16_t flow;
	uint16_t vlan; /**< 0: no tag */
	bool tso, csum;
	uint32_t bytes;
};

enum frame_magic {
	FRAME_LIVE = 0x5348,  /**< numbered */
	FRAME_STILL = 0x5349, /**< filled once; its number is its slot */
};

struct frame_mark {
	uint16_t magic;
	uint32_t number;
	uint32_t stamp; /**< frame_stamp() when sent */
	uint32_t sum;
} __attribute__((packed));

_Static_assert(sizeof(struct frame_mark) == FRAME_MARK, "a VLAN-tagged 64-byte frame holds it");

enum frame_verdict {
	FRAME_GOOD,
	FRAME_FOREIGN, /**< not made by this program */
	FRAME_CORRUPT,
};

struct frame_seen {
	uint16_t flow;
	struct frame_mark mark;
};

/** Parse "64", "imix", "tso". @return 0, -EINVAL */
int frame_shape_parse(struct frame_shape *shape, const char *text, struct err *err);

/** Mean bytes in the buffer. */
double frame_shape_mean(const struct frame_shape *shape);

/** Write headers and body; the mark comes with frame_seal(). */
void frame_build(uint8_t *frame, const struct frame_spec *spec);

/** The virtio-net header that belongs to such a frame. */
struct net_header frame_header(const struct frame_spec *spec);

/**
 * The virtio-net header by which a sender leaves the checksum of a TCP or UDP frame over IPv4 to
 * others, and the cutting of a TCP frame that is too long for the wire. All zero for other frames.
 */
struct net_header frame_offload(const uint8_t *frame, uint32_t bytes);

/** Write the mark and its checksum. fresh: also rewrite a word in each line of the body. */
void frame_seal(uint8_t *frame, uint32_t bytes, enum frame_magic magic, uint32_t number,
	uint32_t stamp, bool fresh);

/**
 * Read the mark of a received frame.
 *
 * @param header its virtio-net header: when that promises nothing, a UDP checksum must be right
 * @param seen set when good
 */
enum frame_verdict frame_check(const uint8_t *frame, uint32_t bytes,
	const struct net_header *header, struct frame_seen *seen);

/** Time in units of 16 ticks, 32 bits: enough for half a minute. */
static inline uint32_t
frame_stamp(uint64_t tsc)
{
	return (uint32_t)(tsc >> 4);
}

#endif
