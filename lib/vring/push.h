/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into a guest's receive ring: a burst in three passes where every frame fits one buffer,
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
push_header(const struct virtq *ring, const struct frame *frame, uint16_t buffers,
	struct virtq_header *header)
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
	(void)ring;
}

static inline void
push_used(struct virtq *ring, uint16_t head, uint32_t len)
{
	struct vring_used_elem *used = &ring->used->ring[ring->last_used & ring->mask];

	used->id = head;
	used->len = len;
	ring->last_used++;
}

/** Copy a frame's bytes: what was classified from host memory, the rest from where it lies. */
static inline void
push_frame(uint8_t *to, const struct frame *frame)
{
	if (__builtin_expect(frame->mbuf != NULL, 0)) {
		for (const struct rte_mbuf *m = frame->mbuf; m != NULL; m = m->next) {
			copy_bytes(
				to, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
			to += rte_pktmbuf_data_len(m);
		}
		return;
	}
	copy_bytes(to, frame->head, frame->head_len);
	uint32_t skip = frame->head_len;
	to += skip;
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

/** As many frames as fit one buffer each, from the first on. @return how many were sent */
static inline uint16_t
push_simple(struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes)
{
	uint8_t *to[FRAME_BURST];
	uint16_t head[FRAME_BURST];
	uint16_t fit;

	for (uint16_t i = 0; i < n; i++) {
		head[i] = virtq_head(ring, (uint16_t)(ring->last_avail + i));
		__builtin_prefetch(&ring->desc[head[i] & ring->mask]);
	}
	for (fit = 0; fit < n; fit++) {
		if (head[fit] > ring->mask)
			break;
		struct vring_desc desc = virtq_read(ring->desc, head[fit]);
		uint32_t len = frames[fit]->len + ring->header_len;
		if (desc.flags != VRING_DESC_F_WRITE || desc.len < len)
			break;
		to[fit] = memory_at(ring->memory, &ring->hint, desc.addr, desc.len);
		if (to[fit] == NULL)
			break;
		__builtin_prefetch(to[fit], 1);
		__builtin_prefetch(to[fit] + 64, 1);
	}
	for (uint16_t i = 0; i < fit; i++) {
		struct virtq_header header;
		push_header(ring, frames[i], 1, &header);
		memcpy(to[i], &header,
			ring->header_len == sizeof(header) ? sizeof(header) : VIRTQ_HEADER_LEN);
		push_frame(to[i] + ring->header_len, frames[i]);
		push_used(ring, head[i], frames[i]->len + ring->header_len);
		*bytes += frames[i]->len;
	}
	ring->last_avail = (uint16_t)(ring->last_avail + fit);
	return fit;
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

	push_header(ring, frame, (uint16_t)target->chains, &header);
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
