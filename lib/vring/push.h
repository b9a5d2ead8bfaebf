/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes frames into receive buffers of a guest; shared by split and packed rings. Inline functions
 * are for isa.c, which is compiled once for each instruction set; push.c is compiled once.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PUSH_H
#define SHUNT_VRING_PUSH_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/chain.h"

enum {
	PUSH_CHAINS_MAX = 128,       /**< chains of one frame, with VIRTIO_NET_F_MRG_RXBUF */
	PUSH_PREFETCHED = 128,       /**< bytes prefetched with the descriptors */
	PUSH_PREFETCH_MAX = 24 * 64, /**< bytes; the hardware prefetcher continues from there */
};

/** Prefetch the first PUSH_PREFETCHED bytes of a receive buffer, for writing. */
static inline void
push_prefetch(const uint8_t *to)
{
	__builtin_prefetch(to, 1);
	__builtin_prefetch(to + 64, 1);
}

/**
 * Prefetch source and destination of the next frame while a long one is copied; the hardware
 * prefetcher cannot predict the new addresses. Inlined by force: the compiler takes a function that
 * only prefetches to have no effect, and drops calls of it.
 */
static inline __attribute__((always_inline)) void
push_prefetch_next(const uint8_t *to, const struct frame *next)
{
	const uint8_t *from = next->mbuf == NULL ? next->segment->data : next->head;
	uint32_t end = next->len < PUSH_PREFETCH_MAX ? next->len : PUSH_PREFETCH_MAX;

	for (uint32_t at = PUSH_PREFETCHED; at < end; at += 64) {
		__builtin_prefetch(from + at);
		__builtin_prefetch(to + at, 1);
	}
}

/** Build the virtio-net header of a frame (virtio 1.2 section 5.1.6.4). @param buffers num_buffers */
static inline void
push_header(const struct frame *frame, uint16_t buffers, struct virtq_header *header)
{
	const struct frame_offload *offload = &frame->offload;

	*header = (struct virtq_header){.buffers = buffers};
	if (__builtin_expect(offload->flags == 0, 1))
		return;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = offload->csum_start;
	header->csum_offset = offload->csum_offset;
	if (offload->flags & FRAME_TSO) {
		header->gso_type = offload->flags & FRAME_TSO4 ? VIRTIO_NET_HDR_GSO_TCPV4
							       : VIRTIO_NET_HDR_GSO_TCPV6;
		header->gso_size = offload->gso_size;
		header->hdr_len = offload->header_len;
	}
}

/** Copy the segments of an mbuf into one buffer. */
static inline void
push_mbuf(uint8_t *to, const struct rte_mbuf *mbuf)
{
	for (const struct rte_mbuf *m = mbuf; m != NULL; m = m->next) {
		copy_bytes(to, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
		to += rte_pktmbuf_data_len(m);
	}
}

/** Copy the bytes after the head of a frame in guest memory. */
static inline void
push_payload(uint8_t *to, const struct frame *frame)
{
	uint32_t skip = frame->head_len;

	for (uint16_t i = 0; i < frame->segments; i++) {
		struct frame_segment rest = frame_segment_skip(&frame->segment[i], &skip);
		copy_bytes(to, rest.data, rest.len);
		to += rest.len;
	}
}

/** push_single() of any frame. */
static __attribute__((noinline)) void
push_single_slow(uint8_t *to, uint32_t header_len, const struct frame *frame)
{
	struct virtq_header header;

	push_header(frame, 1, &header);
	memcpy(to, &header, header_len);
	to += header_len;
	if (frame->mbuf != NULL) {
		push_mbuf(to, frame->mbuf);
		return;
	}
	copy_bytes(to, frame->head, frame->head_len);
	push_payload(to + frame->head_len, frame);
}

/** Write header and frame into one buffer; fast for a frame of one segment without offloads. */
static inline void
push_single(uint8_t *to, uint32_t header_len, const struct frame *frame)
{
	/* Static: store forwarding would fail for a wide load of a header built field by field. */
	static const struct virtq_header complete = {.buffers = 1};
	uint32_t head_len = frame->head_len, len = frame->len;

	if (__builtin_expect(frame->mbuf != NULL || frame->segments != 1 ||
				     frame->offload.flags != 0 || head_len > VIRTQ_HEAD ||
				     header_len != VIRTQ_HEADER_MAX,
		    0)) {
		push_single_slow(to, header_len, frame);
		return;
	}
	copy_with_header(to, &complete, frame->head, head_len);
	if (len > head_len)
		copy_bytes(to + VIRTQ_HEADER_MAX + head_len, frame->segment->data + head_len,
			len - head_len);
}

/** Chains into which one frame is written, and their buffers. */
struct push_target {
	struct virtq_buffer buffer[VIRTQ_CHAIN_MAX];
	unsigned n;  /**< buffers */
	unsigned at; /**< first buffer with space left */
	struct {
		struct virtq_chain chain;
		uint32_t len; /**< space in bytes; after push_buffers(), bytes written */
	} used[PUSH_CHAINS_MAX];
	unsigned chains; /**< length of `used` */
	uint32_t descs;  /**< packed: descriptors of all chains */
	uint32_t limit;  /**< split: available chains; packed: descriptors that may be available */
};

/**
 * Collect the buffers of the available chain that follows those of a target.
 *
 * @return number of buffers; -EAGAIN: no chain is available; -E2BIG: too long; other negative: the
 *         ring is broken
 */
typedef int (*push_walk_fn)(struct virtq *ring, const struct push_target *target,
	struct virtq_buffer buffers[], struct virtq_chain *chain);

/**
 * Write a frame over as many buffers as it needs.
 *
 * @param limit as push_target.limit
 * @param target receives the chains written, which the caller marks used
 * @return 0; -EAGAIN: too few buffers are available; -E2BIG: the frame never fits; other negative:
 *         the ring is broken
 */
int push_buffers(struct virtq *ring, const struct frame *frame, uint32_t limit, push_walk_fn walk,
	struct push_target *target);

/** Push frames from the first on while each fits one buffer. @return number of frames sent */
typedef uint16_t (*push_run_fn)(
	struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes);

/** Push a frame over several buffers. @return part of `space` used; negative as push_buffers() */
typedef int (*push_chains_fn)(struct virtq *ring, const struct frame *frame, uint32_t space);

/**
 * Push a burst: runs of frames that fit one buffer each, and single frames over several.
 *
 * @param space as push_target.limit
 * @return number of frames processed, sent or too long
 */
static inline __attribute__((always_inline)) uint16_t
push_frames(struct virtq *ring, struct frame *const frames[], uint16_t n, uint32_t space,
	push_run_fn run, push_chains_fn push_chains, struct virtq_result *result)
{
	bool good = atomic_load_explicit(&ring->broken, memory_order_relaxed) == VIRTQ_GOOD;
	uint16_t done = 0;

	*result = (struct virtq_result){0};
	while (good && done < n && space > 0) {
		uint16_t left = (uint16_t)(n - done), most = left < space ? left : (uint16_t)space;
		uint16_t sent = run(ring, frames + done, most, &result->bytes);

		done += sent;
		result->sent += sent;
		space -= sent;
		if (sent == most)
			continue;
		int used = push_chains(ring, frames[done], space);
		if (used < 0 && used != -E2BIG)
			break;
		result->too_long |= (uint32_t)(used < 0) << done;
		result->sent += used > 0;
		result->bytes += used > 0 ? frames[done]->len : 0;
		space -= used > 0 ? (uint32_t)used : 0;
		done++;
	}
	return done;
}

#endif
