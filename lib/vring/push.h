/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into a guest's receive ring: a burst in two passes where every frame fits one buffer,
 * and one by one over several buffers where not. Included by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PUSH_H
#define SHUNT_VRING_PUSH_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/vring_internal.h"

enum { PUSH_HEADS_MAX = 128 }; /* buffers that one frame may be spread over */

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
push_used(struct virtq *ring, uint16_t head, uint32_t len)
{
	virtq_use(ring->used, ring->last_used & ring->mask, head, len);
	ring->last_used++;
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
		const struct frame_segment *segment = &frame->segment[i];
		if (segment->len <= skip) {
			skip -= segment->len;
			continue;
		}
		copy_bytes(to, segment->data + skip, segment->len - skip);
		to += segment->len - skip;
		skip = 0;
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

/** Buffers that hold one frame each, from the first frame on. @return how many */
static inline uint16_t
push_descriptors(struct virtq *ring, struct frame *const frames[], uint16_t n, uint8_t *to[],
	uint16_t head[])
{
	const volatile uint16_t *heads = ring->avail->ring;
	const struct vring_desc *table = ring->desc;
	uint16_t mask = ring->mask, position = ring->last_avail;
	uint32_t header_len = ring->header_len;

	for (uint16_t i = 0; i < n; i++) {
		head[i] = heads[position++ & mask];
		if (__builtin_expect(head[i] > mask, 0))
			return i;
		struct vring_desc desc = virtq_read(table, head[i]);
		if (__builtin_expect(desc.flags != VRING_DESC_F_WRITE ||
					     desc.len < frames[i]->len + header_len,
			    0))
			return i;
		to[i] = memory_at(ring->memory, &ring->hint, desc.addr, desc.len);
		if (__builtin_expect(to[i] == NULL, 0))
			return i;
		__builtin_prefetch(to[i], 1);
		__builtin_prefetch(to[i] + 64, 1);
	}
	return n;
}

/** As many frames as fit one buffer each, from the first on. @return how many were sent */
static inline uint16_t
push_simple(struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes)
{
	struct vring_used *used = ring->used;
	uint32_t header_len = ring->header_len;
	uint16_t mask = ring->mask, last_used = ring->last_used;
	uint8_t *to[FRAME_BURST];
	uint16_t head[FRAME_BURST];
	uint64_t sum = 0;

	n = push_descriptors(ring, frames, n, to, head);
	for (uint16_t i = 0; i < n; i++) {
		push_whole(to[i], header_len, frames[i]);
		virtq_use(used, last_used++ & mask, head[i], frames[i]->len + header_len);
		sum += frames[i]->len;
	}
	*bytes += sum;
	ring->last_used = last_used;
	ring->last_avail = (uint16_t)(ring->last_avail + n);
	return n;
}

/** A receiving buffer and how much of it is written. */
struct push_target {
	struct virtq_buffer buffer[VIRTQ_CHAIN_MAX];
	unsigned n, at;
	struct {
		uint16_t head;
		uint32_t room;
	} chain[PUSH_HEADS_MAX];
	unsigned chains;
};

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

/** Add the next available chain. @return 0, or negative when the ring is broken or chain too long */
static int
push_reserve(struct virtq *ring, struct push_target *target)
{
	uint16_t head = virtq_head(ring, (uint16_t)(ring->last_avail + target->chains));
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	uint64_t room = 0;
	int n = virtq_walk(ring, head, true, buffers);

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
	target->chain[target->chains].head = head;
	target->chain[target->chains++].room =
		room > VIRTQ_FRAME_MAX * 2 ? VIRTQ_FRAME_MAX * 2 : (uint32_t)room;
	return 0;
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
			const struct frame_segment *segment = &frame->segment[i];
			uint32_t over = segment->len < skip ? segment->len : skip;
			push_scatter(target, segment->data + over, segment->len - over);
			skip -= over;
		}
	}
	for (unsigned i = 0; i < target->chains; i++) {
		uint32_t part = target->chain[i].room < left ? target->chain[i].room : left;
		push_used(ring, target->chain[i].head, part);
		left -= part;
	}
	ring->last_avail = (uint16_t)(ring->last_avail + target->chains);
}

/** A frame over several buffers. @return buffers used; 0 ring full; -E2BIG never fits; broken */
static int
push_slow(struct virtq *ring, const struct frame *frame, uint16_t available)
{
	struct push_target target;
	uint64_t room = 0, need = (uint64_t)frame->len + ring->header_len;
	unsigned most = ring->mergeable ? PUSH_HEADS_MAX : 1;

	target.n = target.at = target.chains = 0;
	while (room < need) {
		/* All that a ring can offer may be too little. */
		if (target.chains == most || target.chains > ring->mask)
			return -E2BIG;
		if (target.chains == available)
			return 0;
		int rc = push_reserve(ring, &target);
		if (rc < 0)
			return rc;
		room += target.chain[target.chains - 1].room;
	}
	push_spread(ring, frame, &target);
	return (int)target.chains;
}

static uint16_t
push_burst(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	uint16_t available = virtq_available(ring), done = 0, before = ring->last_used;
	bool good = atomic_load_explicit(&ring->broken, memory_order_relaxed) == VIRTQ_GOOD;

	*result = (struct virtq_result){0};
	while (good && done < n && available > 0) {
		uint16_t most = n - done < available ? n - done : available;
		uint16_t sent = push_simple(ring, frames + done, most, &result->bytes);

		done += sent;
		result->sent += sent;
		available -= sent;
		if (sent == most)
			continue;
		int used = push_slow(ring, frames[done], available);
		if (used == 0 || (used < 0 && used != -E2BIG))
			break;
		result->misfit += used < 0;
		result->sent += used > 0;
		result->bytes += used > 0 ? frames[done]->len : 0;
		available -= used > 0 ? (uint16_t)used : 0;
		done++;
	}
	if (ring->last_used != before)
		virtq_publish(ring);
	return done;
}

#endif
