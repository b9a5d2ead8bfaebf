/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame written into a guest's buffers, one or several: what split and packed rings share.
 * Included by isa.c, once for each instruction set.
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
	PUSH_AHEAD = 24 * 64, /* bytes prefetched at most; behind them the CPU goes on by itself */
};

static inline void
push_prefetch(const uint8_t *to)
{
	__builtin_prefetch(to, 1);
	__builtin_prefetch(to + 64, 1);
}

/**
 * While a long frame is copied, ask for what the copy of the next one reads and writes: it begins
 * anew elsewhere, which the CPU cannot foresee. Inlined by force: a function that does nothing else has
 * no effect for the compiler, which drops calls of it.
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

/** Copy what follows the bytes that were classified. */
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

/** Header and frame into one buffer. */
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

/** The same, quickly for the common kind: complete, and in one buffer of its sender. */
static inline void
push_whole(uint8_t *to, uint32_t header_len, const struct frame *frame)
{
	/* Not built on the stack each time: it is loaded whole, which waits for stores in pieces. */
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

/** Buffers that take one frame, and how much of them is written. */
struct push_target {
	struct virtq_buffer buffer[VIRTQ_CHAIN_MAX];
	unsigned n, at;
	struct {
		struct virtq_chain place;
		uint32_t len; /**< bytes it holds; once the frame is in, of the frame */
	} chain[PUSH_HEADS_MAX];
	unsigned chains;
	uint32_t descs; /**< packed: of all chains */
	uint32_t limit; /**< split: chains available; packed: descriptors that can be */
};

/**
 * Find the chain that follows those of a target.
 *
 * @return how many buffers; -EAGAIN: none is available; -E2BIG too long for us; other negative: the
 * ring is broken
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

/** Add the next available chain. @return its bytes; negative as push_walker */
static int64_t
push_reserve(struct virtq *ring, push_walker walk, struct push_target *target)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_chain place = {0};
	uint64_t room = 0;
	int n = walk(ring, target, buffers, &place);

	if (n < 0)
		return n;
	if (target->n + (unsigned)n > VIRTQ_CHAIN_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		room += buffers[i].len;
		target->buffer[target->n++] = buffers[i];
	}
	if (room < ring->header_len) {
		virtq_break(ring, VIRTQ_BAD_RECEIVE);
		return -EINVAL;
	}
	if (room > VIRTQ_FRAME_MAX * 2)
		room = VIRTQ_FRAME_MAX * 2;
	target->chain[target->chains].place = place;
	target->chain[target->chains++].len = (uint32_t)room;
	target->descs += place.descs;
	return (int64_t)room;
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
 * A frame over as many buffers as it takes.
 *
 * @param target receives what was written; using it is up to the caller
 * @return 0; -EAGAIN: wait for more buffers; -E2BIG: it never fits; other negative: the ring is broken
 */
static int
push_over(struct virtq *ring, const struct frame *frame, uint32_t limit, push_walker walk,
	struct push_target *target)
{
	uint64_t room = 0, need = (uint64_t)frame->len + ring->header_len;
	unsigned most = ring->mergeable ? PUSH_HEADS_MAX : 1;

	target->n = target->at = target->chains = 0;
	target->descs = 0;
	target->limit = limit;
	while (room < need) {
		/* All that a ring can offer may be too little. */
		if (target->chains == most || target->chains > ring->mask ||
			target->descs > ring->mask)
			return -E2BIG;
		int64_t more = push_reserve(ring, walk, target);
		if (more < 0)
			return (int)more;
		room += (uint64_t)more;
	}
	push_spread(ring, frame, target);
	return 0;
}

/** As many frames as fit one buffer each, from the first on. @return how many were sent */
typedef uint16_t (*push_runner)(
	struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes);

/** A frame over several buffers. @return how much of the room it took; negative as push_over() */
typedef int (*push_spreader)(struct virtq *ring, const struct frame *frame, uint32_t room);

/**
 * Runs of frames that fit one buffer each, and those between them over several.
 *
 * @param room split: chains available; packed: descriptors that can be
 * @return how many were dealt with, from the first on
 */
static inline __attribute__((always_inline)) uint16_t
push_frames(struct virtq *ring, struct frame *const frames[], uint16_t n, uint32_t room,
	push_runner run, push_spreader spread, struct virtq_result *result)
{
	bool good = atomic_load_explicit(&ring->broken, memory_order_relaxed) == VIRTQ_GOOD;
	uint16_t done = 0;

	*result = (struct virtq_result){0};
	while (good && done < n && room > 0) {
		uint16_t left = (uint16_t)(n - done), most = left < room ? left : (uint16_t)room;
		uint16_t sent = run(ring, frames + done, most, &result->bytes);

		done += sent;
		result->sent += sent;
		room -= sent;
		if (sent == most)
			continue;
		int used = spread(ring, frames[done], room);
		if (used < 0 && used != -E2BIG)
			break;
		result->misfit += used < 0;
		result->sent += used > 0;
		result->bytes += used > 0 ? frames[done]->len : 0;
		room -= used > 0 ? (uint32_t)used : 0;
		done++;
	}
	return done;
}

#endif
