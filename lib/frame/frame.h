/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame: what travels between rings. A burst is an array of these, one cache line each.
 *
 * Decisions are made on `head` alone, which is always host memory that no guest can change. The
 * payload belongs to the frame's mbuf; drivers look there, the stages in between do not.
 *
 * Thread safety: a frame belongs to the polling lcore whose burst it is in. Frames given to
 * several ports are shared, read-only, and hold one mbuf reference for each port.
 */
#ifndef SHUNT_FRAME_FRAME_H
#define SHUNT_FRAME_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum {
	FRAME_BURST = 32, /**< frames in a burst; librte_vhost moves no more at once */
	FRAME_MACS_LEN = 12,
	FRAME_ETH_LEN = 14, /**< destination, source and type */
	FRAME_TAG_LEN = 4,  /**< an 802.1Q tag */
	/** Bytes of headers, Ethernet's to TCP's, that each segment of a frame may begin with. */
	FRAME_HEADERS_MAX = 512,
};

/** What a sender left undone, bits of frame_offload.flags; a receiver's capabilities alike. */
enum {
	FRAME_CSUM = 1 << 0,  /**< checksum from csum_start on is to be stored at csum_offset */
	FRAME_TSO4 = 1 << 1,  /**< TCP over IPv4 to be cut into segments of gso_size bytes */
	FRAME_TSO6 = 1 << 2,  /**< the same over IPv6 */
	FRAME_CHAIN = 1 << 3, /**< capability only: takes frames of several segments */
	FRAME_TAG = 1 << 4,   /**< an 802.1Q tag with `tci` to be put in; never beside others */
	FRAME_TSO = FRAME_TSO4 | FRAME_TSO6,
};

/** The fields of struct virtio_net_hdr (virtio 1.2 section 5.1.6) that a switch needs. */
struct frame_offload {
	uint8_t flags;        /**< 0 = the frame is complete */
	uint16_t csum_offset; /**< from csum_start; any is legal, TCP and UDP have theirs */
	uint16_t csum_start;  /**< from the start of the frame */
	uint16_t header_len;  /**< TSO: bytes to repeat before each segment's payload */
	uint16_t gso_size;    /**< TSO: payload bytes of a segment */
};

/** A piece of a frame in guest memory. */
struct frame_segment {
	const uint8_t *data; /**< may change under the reader; in bounds for `len` */
	uint32_t len;
};

struct hold;

/**
 * Every field is written by the driver's rx, but where noted. The payload is in an mbuf, or, where
 * mbuf is NULL, in segments of guest memory that stay until the driver's rx_done, and longer for
 * whom `hold` grants it.
 */
struct frame {
	struct rte_mbuf *mbuf; /**< owner of the payload; one reference per receiving port */
	const struct frame_segment *segment; /**< the whole frame; used where mbuf is NULL */
	const uint8_t *head;                 /**< first head_len bytes */
	struct hold *hold; /**< used where mbuf is NULL; NULL = the segments cannot be held */
	uint32_t len;      /**< of the whole frame, without frame check sequence */
	uint16_t segments; /**< how many */
	uint16_t place;    /**< in its burst, as `hold` counts; below FRAME_BURST */
	uint16_t head_len;
	uint16_t l2_len; /**< written by classify: FRAME_ETH_LEN, more with a tag */
	uint16_t vlan;   /**< written by classify: VLAN id, 0 = untagged */
	struct frame_offload offload;
	/** Written by classify where the switch knows VLANs: bytes of the tag that said so, or 0. */
	uint16_t tag_len;
	uint16_t tci; /**< written by egress; used with FRAME_TAG */
} __rte_cache_aligned;

_Static_assert(sizeof(struct frame) == 64, "a frame is one cache line");

/** Two bytes as they are on the wire. */
static inline uint16_t
frame_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/** Bytes of the longest frame that will be on the wire once segments are cut. */
static inline uint32_t
frame_wire_len(const struct frame *frame)
{
	return (frame->offload.flags & FRAME_TSO) == 0
		       ? frame->len
		       : (uint32_t)frame->offload.header_len + frame->offload.gso_size;
}

/**
 * What is left of a piece of a frame behind its head.
 *
 * @param skip bytes of the head still to come, head_len before the first piece; updated
 */
static inline struct frame_segment
frame_behind_head(const struct frame_segment *segment, uint32_t *skip)
{
	uint32_t over = segment->len < *skip ? segment->len : *skip;

	*skip -= over;
	return (struct frame_segment){segment->data + over, segment->len - over};
}

/** Wrap an mbuf that holds a complete frame. The frame takes the caller's reference. */
static inline void
frame_from_mbuf(struct frame *frame, struct rte_mbuf *mbuf)
{
	frame->mbuf = mbuf;
	frame->head = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	frame->head_len = rte_pktmbuf_data_len(mbuf);
	frame->len = rte_pktmbuf_pkt_len(mbuf);
	frame->offload = (struct frame_offload){0};
}

/**
 * Copy bytes of a frame, each of which is read once.
 *
 * @param at where they begin; @param n how many, all of them within the frame
 */
void frame_read(const struct frame *frame, uint32_t at, uint8_t *to, uint32_t n);

/** Drop one reference to each frame's payload. */
void frame_free(struct frame *const frames[], unsigned n);

#endif
