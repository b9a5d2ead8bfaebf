/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes a frame into one or several buffers of a guest; shared by split and packed rings. Included
 * by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_SPREAD_H
#define SHUNT_VRING_SPREAD_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/vring_internal.h"

enum {
	PUSH_HEADS_MAX = 128, /* buffers that one frame may be spread over */
	PUSH_NEAR = 128,      /* bytes that are prefetched with the descriptors */
	PUSH_AHEAD = 24 * 64, /* bytes prefetched at most; the hardware prefetcher does the rest */
};

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
push_ahead(const uint8_t *to, const struct frame *next)
{
	const uint8_t *from = next->mbuf == NULL ? next->segment->data : next->head;
	uint32_t end = next->len < PUSH_AHEAD ? next->len : PUSH_AHEAD;

	for (uint32_t at = PUSH_NEAR; at < end; at += 64) {
		__builtin_prefetch(from + at);
		__builtin_prefetch(to + at, 1);
	}
}

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

static inline void
push_mbuf(uint8_t *to, const struct rte_mbuf *mbuf)
{
	for (const struct rte_mbuf *m = mbuf; m != NULL; m = m->next) {
		copy_bytes(to, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
		to += rte_pktmbuf_data_len(m);
	}
}

/** Copy the payload behind the head. */
static inline void
push_rest(uint8_t *to, const struct frame *frame)
{
	uint32_t skip = frame->head_len;

	for (uint16_t i = 0; i < frame->segments; i++) {
		struct frame_segment rest = frame_behind_head(&frame->segment[i], &skip);
		copy_bytes(to, rest.data, rest.len);
		to += rest.len;
	}
}

/** Write header and frame, of any kind, into one buffer. */
static __attribute__((noinline)) void
push_any(uint8_t *to, uint32_t header_len, const struct frame *frame)
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
	push_rest(to + frame->head_len, frame);
}

/** The same, fast for the common kind: no offload request, one segment. */
static inline void
push_whole(uint8_t *to, uint32_t header_len, const struct frame *frame)
{
	/* Static: store forwarding would fail for a wide load of a header built field by field. */
	static const struct virtq_header complete = {.buffers = 1};
	uint32_t head_len = frame->head_len, len = frame->len;

	if (__builtin_expect(frame->mbuf != NULL || frame->segments != 1 ||
				     frame->offload.flags != 0 || head_len > VIRTQ_HEAD ||
				     header_len != VIRTQ_HEADER_MAX,
		    0)) {
		push_any(to, header_len, frame);
		return;
	}
	copy_behind(to, &complete, frame->head, head_len);
	if (len > head_len)
		copy_bytes(to + VIRTQ_HEADER_MAX + head_len, frame->segment->data + head_len,
			len - head_len);
}

/** Buffers of one frame, and the part of them that is written. */
struct push_target {
	struct virtq_buffer buffer[VIRTQ_CHAIN_MAX];
	unsigned n, at;
	struct {
		struct virtq_chain place;
		uint32_t len; /**< space in bytes; after push_spread(), bytes written */
	} chain[PUSH_HEADS_MAX];
	unsigned chains;
	uint32_t descs; /**< packed: descriptors of all chains */
	uint32_t limit; /**< split: available chains; packed: descriptors that may be available */
};

/**
 * Collect the buffers of the available chain that follows those of a target.
 *
 * @return number of buffers; -EAGAIN: no chain is available; -E2BIG: too long; other negative: the
 *         ring is broken
 */
typedef int (*push_walker)(struct virtq *ring, const struct push_target *target,
	struct virtq_buffer buffers[], struct virtq_chain *chain);

static void
push_scatter(struct push_target *target, const uint8_t *from, uint32_t len)
{
	while (len > 0 && target->at < target->n) {
		struct virtq_buffer *buffer = &target->buffer[target->at];
		uint32_t part = buffer->len < len ? buffer->len : len;

		memcpy(buffer->data, from, part);
		from += part;
		len -= part;
		buffer->data += part;
		buffer->len -= part;
		target->at += buffer->len == 0;
	}
}

/** Add the next available chain. @return its space in bytes; negative as push_walker */
static int64_t
push_reserve(struct virtq *ring, push_walker walk, struct push_target *target)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_chain place = {0};
	uint64_t space = 0;
	int n = walk(ring, target, buffers, &place);

	if (n < 0)
		return n;
	if (target->n + (unsigned)n > VIRTQ_CHAIN_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		space += buffers[i].len;
		target->buffer[target->n++] = buffers[i];
	}
	if (space < ring->header_len) {
		virtq_break(ring, VIRTQ_BAD_RECEIVE);
		return -EINVAL;
	}
	if (space > VIRTQ_FRAME_MAX * 2)
		space = VIRTQ_FRAME_MAX * 2;
	target->chain[target->chains].place = place;
	target->chain[target->chains++].len = (uint32_t)space;
	target->descs += place.descs;
	return (int64_t)space;
}

static void
push_spread(struct virtq *ring, const struct frame *frame, struct push_target *target)
{
	struct virtq_header header;
	uint32_t left = frame->len + ring->header_len;

	push_header(frame, (uint16_t)target->chains, &header);
	push_scatter(target, (const uint8_t *)&header, ring->header_len);
	if (frame->mbuf != NULL) {
		for (const struct rte_mbuf *m = frame->mbuf; m != NULL; m = m->next)
			push_scatter(target, rte_pktmbuf_mtod(m, const uint8_t *),
				rte_pktmbuf_data_len(m));
	} else {
		uint32_t skip = frame->head_len;
		push_scatter(target, frame->head, frame->head_len);
		for (uint16_t i = 0; i < frame->segments; i++) {
			struct frame_segment rest = frame_behind_head(&frame->segment[i], &skip);
			push_scatter(target, rest.data, rest.len);
		}
	}
	for (unsigned i = 0; i < target->chains; i++) {
		if (target->chain[i].len > left)
			target->chain[i].len = left;
		left -= target->chain[i].len;
	}
}

/**
 * Write a frame over as many buffers as it needs.
 *
 * @param limit as push_target.limit
 * @param target receives the chains written, which the caller marks used
 * @return 0; -EAGAIN: too few buffers are available; -E2BIG: the frame never fits; other negative:
 *         the ring is broken
 */
static int
push_over(struct virtq *ring, const struct frame *frame, uint32_t limit, push_walker walk,
	struct push_target *target)
{
	uint64_t space = 0, need = (uint64_t)frame->len + ring->header_len;
	unsigned most = ring->mergeable ? PUSH_HEADS_MAX : 1;

	target->n = target->at = target->chains = 0;
	target->descs = 0;
	target->limit = limit;
	while (space < need) {
		/* Even the whole ring may be too small for the frame. */
		if (target->chains == most || target->chains > ring->mask ||
			target->descs > ring->mask)
			return -E2BIG;
		int64_t more = push_reserve(ring, walk, target);
		if (more < 0)
			return (int)more;
		space += (uint64_t)more;
	}
	push_spread(ring, frame, target);
	return 0;
}

/** Push frames from the first on while each fits one buffer. @return number of frames sent */
typedef uint16_t (*push_runner)(
	struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes);

/** Push a frame over several buffers. @return part of `space` used; negative as push_over() */
typedef int (*push_spreader)(struct virtq *ring, const struct frame *frame, uint32_t space);

/**
 * Push a burst: runs of frames that fit one buffer each, and single frames over several.
 *
 * @param space as push_target.limit
 * @return number of frames processed, sent or misfit
 */
static inline __attribute__((always_inline)) uint16_t
push_frames(struct virtq *ring, struct frame *const frames[], uint16_t n, uint32_t space,
	push_runner run, push_spreader spread, struct virtq_result *result)
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
		int used = spread(ring, frames[done], space);
		if (used < 0 && used != -E2BIG)
			break;
		result->misfit += used < 0;
		result->sent += used > 0;
		result->bytes += used > 0 ? frames[done]->len : 0;
		space -= used > 0 ? (uint32_t)used : 0;
		done++;
	}
	return done;
}

#endif
