/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of a guest's transmit ring, in three passes over the burst: heads, descriptors,
 * headers; each prefetches what the next one reads. Included by isa.c, once for each instruction
 * set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_POP_H
#define SHUNT_VRING_POP_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/vring_internal.h"

enum {
	POP_GLANCE = 64, /**< further on, more of the header is prefetched */
	TCP_OFFSET_BYTE = 12,
};

/** The first pass. @return how many heads are valid */
static inline uint16_t
pop_heads(struct virtq *ring, struct virtq_batch *batch, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		uint16_t head = virtq_head(ring, (uint16_t)(ring->last_avail + i));
		if (__builtin_expect(head > ring->mask, 0)) {
			virtq_break(ring, VIRTQ_BAD_HEAD);
			return i;
		}
		batch->chain[i] = head;
		__builtin_prefetch(&ring->desc[head]);
	}
	return n;
}

/**
 * The second pass: translate buffers of the common kind, one descriptor for header and frame.
 *
 * @param data receives where it is, NULL for chains of another kind
 */
static inline void
pop_descriptors(struct virtq *ring, const struct virtq_batch *batch, uint16_t n, uint8_t *data[],
	uint32_t len[])
{
	for (uint16_t i = 0; i < n; i++) {
		struct vring_desc desc = virtq_read(ring->desc, batch->chain[i]);
		data[i] = NULL;
		len[i] = desc.len;
		if (__builtin_expect(desc.flags != 0 || desc.len <= ring->header_len, 0))
			continue;
		data[i] = memory_at(ring->memory, &ring->hint, desc.addr, desc.len);
		__builtin_prefetch(data[i]);
		/* Not a sum of pointers: there may be none. */
		__builtin_prefetch((const void *)((uintptr_t)data[i] + POP_GLANCE));
	}
}

/** Check and take over what the sender left undone. @return false when it makes no sense */
static bool
pop_offload(const struct virtq *ring, struct virtq_header *header, struct frame *frame)
{
	/* The compiler, too, must not go back to where the header was read from. */
	__asm__ volatile("" : "+m"(*header));
	struct frame_offload *offload = &frame->offload;
	uint32_t start = header->csum_start;

	if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
		return header->gso_type == VIRTIO_NET_HDR_GSO_NONE;
	offload->flags = FRAME_CSUM;
	offload->csum_start = header->csum_start;
	offload->csum_offset = header->csum_offset;
	if ((ring->offloads & FRAME_CSUM) == 0 || start + header->csum_offset + 2 > frame->len)
		return false;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV4)
		offload->flags |= FRAME_TSO4;
	else if (header->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
		offload->flags |= FRAME_TSO6;
	else
		return false;
	/* The claimed header length is a hint only; the copied TCP header knows. */
	if ((offload->flags & ~ring->offloads) != 0 || header->gso_size == 0 ||
		start + TCP_OFFSET_BYTE >= frame->head_len)
		return false;
	offload->gso_size = header->gso_size;
	offload->header_len = (uint16_t)(start + (frame->head[start + TCP_OFFSET_BYTE] >> 4) * 4);
	return offload->header_len < frame->len;
}

static inline void
pop_header(struct virtq_header *header, const uint8_t *data)
{
	memcpy(header, data, VIRTQ_HEADER_LEN);
}

/** A frame in one buffer, header and all. */
static inline bool
pop_simple(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	uint8_t *data, uint32_t len, struct frame *frame)
{
	struct frame_segment *segment = &batch->segment[*segments];
	struct virtq_header header;
	uint8_t *head = batch->head[index];
	uint32_t size = len - ring->header_len;
	const uint8_t *from = data + ring->header_len;

	pop_header(&header, data);
	frame->mbuf = NULL;
	frame->head = head;
	frame->len = size;
	frame->head_len = (uint16_t)(size < VIRTQ_HEAD ? size : VIRTQ_HEAD);
	if (size >= VIRTQ_HEAD)
		copy_bytes(head, from, VIRTQ_HEAD);
	else
		copy_bytes(head, from, size);
	*segment = (struct frame_segment){from, size};
	frame->segment = segment;
	frame->segments = 1;
	frame->offload = (struct frame_offload){0};
	(*segments)++;
	if (__builtin_expect((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) | header.gso_type, 0) &&
		!pop_offload(ring, &header, frame))
		return false;
	return size <= VIRTQ_FRAME_MAX;
}

/** Move bytes out of a list of buffers, from where the last call ended. */
static void
pop_gather(struct virtq_buffer buffers[], int n, int *at, uint8_t *to, uint32_t len)
{
	while (len > 0 && *at < n) {
		struct virtq_buffer *buffer = &buffers[*at];
		uint32_t part = buffer->len < len ? buffer->len : len;

		memcpy(to, buffer->data, part);
		to += part;
		len -= part;
		buffer->data += part;
		buffer->len -= part;
		*at += buffer->len == 0;
	}
}

/** A frame in any other kind of chain. @return 1 a frame, 0 not one, negative: stop here */
static int
pop_chain(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	struct frame *frame)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_header header = {0};
	uint8_t raw[16] = {0};
	uint64_t total = 0;
	int at = 0;
	int n = virtq_walk(ring, batch->chain[index], false, buffers);

	if (n < 0)
		return n == -E2BIG ? 0 : n;
	if (*segments + n > VIRTQ_SEGMENTS)
		return -EAGAIN;
	for (int i = 0; i < n; i++)
		total += buffers[i].len;
	if (total <= ring->header_len || total - ring->header_len > VIRTQ_FRAME_MAX)
		return 0;
	pop_gather(buffers, n, &at, raw, ring->header_len);
	pop_header(&header, raw);
	frame->mbuf = NULL;
	frame->segment = &batch->segment[*segments];
	frame->segments = (uint16_t)(n - at);
	for (int i = at; i < n; i++)
		batch->segment[(*segments)++] =
			(struct frame_segment){buffers[i].data, buffers[i].len};
	frame->len = (uint32_t)(total - ring->header_len);
	frame->head = batch->head[index];
	frame->head_len = (uint16_t)(frame->len < VIRTQ_HEAD ? frame->len : VIRTQ_HEAD);
	pop_gather(buffers, n, &at, batch->head[index], frame->head_len);
	frame->offload = (struct frame_offload){0};
	return pop_offload(ring, &header, frame);
}

static uint16_t
pop_burst(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	uint8_t *data[FRAME_BURST];
	uint32_t len[FRAME_BURST];
	uint16_t available = virtq_available(ring), segments = 0, kept = 0, i;

	batch->taken = 0;
	n = available < n ? available : n;
	if (n == 0 || atomic_load_explicit(&ring->broken, memory_order_relaxed) != VIRTQ_GOOD)
		return 0;
	n = pop_heads(ring, batch, n);
	pop_descriptors(ring, batch, n, data, len);
	for (i = 0; i < n; i++) {
		int rc;
		if (__builtin_expect(data[i] != NULL && segments < VIRTQ_SEGMENTS, 1))
			rc = pop_simple(ring, batch, i, &segments, data[i], len[i], &frames[kept]);
		else
			rc = pop_chain(ring, batch, i, &segments, &frames[kept]);
		if (rc < 0)
			break;
		kept += (uint16_t)rc;
		*bad += rc == 0;
	}
	batch->taken = i;
	return kept;
}

#endif
