/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame descriptor of the data path. A burst is an array of these, one cache line each.
 *
 * Forwarding decisions use `head` alone, which is always host memory that no guest can change. The
 * payload is accessed only by drivers, not by the stages in between.
 *
 * Thread safety: a frame belongs to the polling lcore whose burst it is in. Frames sent to several
 * ports are shared, read-only, and have one mbuf reference for each port.
 */
#ifndef SHUNT_FRAME_FRAME_H
#define SHUNT_FRAME_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

enum {
	FRAME_BURST = 32, /**< frames in a burst; the limit of librte_vhost */
	FRAME_MACS_LEN = 12,
	FRAME_ETH_LEN = 14, /**< destination, source and type */
	FRAME_TAG_LEN = 4,  /**< an 802.1Q tag */
	/** Largest headers of a TSO segment, Ethernet to TCP, bytes. */
	FRAME_HEADERS_MAX = 512,
	FRAME_SENT = UINT8_MAX, /**< tx_drop of a frame that was not dropped */
};

/** Offload requests, bits of frame_offload.flags; also the capabilities of a port. */
enum {
	FRAME_CSUM = 1 << 0,  /**< store the checksum from csum_start on at csum_offset */
	FRAME_TSO4 = 1 << 1,  /**< cut TCP over IPv4 into segments of gso_size bytes */
	FRAME_TSO6 = 1 << 2,  /**< the same for TCP over IPv6 */
	FRAME_CHAIN = 1 << 3, /**< capability only: sends frames of several segments */
	FRAME_TAG = 1 << 4,   /**< insert an 802.1Q tag with `tci`; excludes other requests */
	FRAME_TSO = FRAME_TSO4 | FRAME_TSO6,
};

/** The fields of struct virtio_net_hdr (virtio 1.2 section 5.1.6) that the switch uses. */
struct frame_offload {
	uint8_t flags;        /**< 0 = the frame is complete */
	uint16_t csum_offset; /**< bytes from csum_start; any value is legal */
	uint16_t csum_start;  /**< bytes from the start of the frame */
	uint16_t header_len;  /**< TSO: bytes of headers, repeated in each segment */
	uint16_t gso_size;    /**< TSO: payload bytes per segment */
};

/** A contiguous part of a frame in guest memory. */
struct frame_segment {
	const uint8_t *data; /**< may change at any time; valid for `len` bytes */
	uint32_t len;
};

struct inflight;

/**
 * Rx functions of drivers write every field, except where noted. The payload is in an mbuf, or, if
 * `mbuf` is NULL, in segments of guest memory. These stay valid until the driver's rx_done, and
 * longer for a frame taken in flight (frame/inflight.h).
 */
struct frame {
	struct rte_mbuf *mbuf;               /**< the payload; one reference per output port */
	const struct frame_segment *segment; /**< mbuf == NULL: segments of the whole frame */
	const uint8_t *head;                 /**< first head_len bytes */
	struct inflight *inflight;           /**< mbuf == NULL; NULL = no zero copy */
	uint32_t len;                        /**< bytes of the whole frame, without FCS */
	uint16_t segments;                   /**< number of segments */
	uint16_t index; /**< index in its burst, for `inflight`; below FRAME_BURST */
	uint16_t head_len;
	uint16_t l2_len; /**< written by classify: FRAME_ETH_LEN, longer with a tag */
	uint16_t vlan;   /**< written by classify: VLAN id, 0 = untagged */
	struct frame_offload offload;
	/** Written by classify in a VLAN-aware switch: bytes of the tag that gave `vlan`, or 0. */
	uint16_t tag_len;
	uint16_t tci; /**< written by VLAN rewrite; used with FRAME_TAG */
	/** Written by the tx of a driver that drops the frame: an enum drop_reason. */
	uint8_t tx_drop;
	/**
	 * Bytes before `head` that may be written if the frame has one tx port only; mbuf == NULL.
	 */
	uint8_t headroom;
	/** Between an ingress stage and the egress filters of a feature; undefined before the stage. */
	uint8_t verdict;
} __rte_cache_aligned;

_Static_assert(sizeof(struct frame) == 64, "a frame is one cache line");

/**
 * Read a 16-bit number in network byte order.
 *
 * @param bytes two bytes, at any alignment
 * @return the number in host byte order
 */
static inline uint16_t
frame_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/** @return bytes of the longest frame on the wire, after segmentation */
static inline uint32_t
frame_wire_len(const struct frame *frame)
{
	return (frame->offload.flags & FRAME_TSO) == 0
		       ? frame->len
		       : (uint32_t)frame->offload.header_len + frame->offload.gso_size;
}

/**
 * Skip bytes at the front of a segment, such as those that the head has too.
 *
 * @param skip bytes to skip in this and the following segments; reduced by those skipped here
 * @return the rest of the segment; its length may be 0
 */
static inline struct frame_segment
frame_segment_skip(const struct frame_segment *segment, uint32_t *skip)
{
	uint32_t over = segment->len < *skip ? segment->len : *skip;

	*skip -= over;
	return (struct frame_segment){segment->data + over, segment->len - over};
}

/** Set up a frame from an mbuf without offload requests. Takes the caller's reference. */
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
 * Copy bytes of a frame. Each byte is read once; those of the head come from host memory.
 *
 * @param at offset of the first byte
 * @param to receives them
 * @param n number of bytes, all within the frame
 */
void frame_read(const struct frame *frame, uint32_t at, uint8_t *to, uint32_t n);

/**
 * Drop one reference to the payload of each frame. Polling lcore.
 *
 * @param frames may repeat a frame, once per reference
 * @param n number of frames
 */
void frame_free(struct frame *const frames[], unsigned n);

#endif
