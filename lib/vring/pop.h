/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pop of a split ring, in two passes over the burst: the first reads descriptors and prefetches
 * headers, the second reads the headers. packed_pop.h shares the functions that turn buffers into
 * frames. Included by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_POP_H
#define SHUNT_VRING_POP_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/split_desc.h"
#include "vring/vring_internal.h"

enum {
	POP_GLANCE = 64, /**< offset of the second prefetched line of a buffer */
	TCP_OFFSET_BYTE = 12,
};

static inline void
pop_prefetch(const uint8_t *data)
{
	__builtin_prefetch(data);
	/* Integer arithmetic, since data may be NULL. */
	__builtin_prefetch((const void *)((uintptr_t)data + POP_GLANCE));
}

/**
 * The first pass: read heads, and translate buffers of the common kind, one descriptor for header
 * and frame. The buffers are prefetched for the second pass; the rings are read sequentially,
 * which the hardware prefetcher covers.
 *
 * @param data receives the HVA of each buffer, NULL for chains of another kind
 * @return number of valid heads
 */
static inline uint16_t
pop_descriptors(
	struct virtq *ring, struct virtq_batch *batch, uint16_t n, uint8_t *data[], uint32_t len[])
{
	const volatile uint16_t *heads = ring->avail->ring;
	const struct vring_desc *table = ring->desc;
	uint16_t mask = ring->mask, i = split_desc_run(ring, n, 0, batch->chain, data, len);
	uint32_t header_len = ring->header_len;

	virtq_prefetch_used(ring, n);
	for (uint16_t j = 0; j < i; j++)
		pop_prefetch(data[j]);
	for (; i < n; i++) {
		uint16_t head = heads[(uint16_t)(ring->last_avail + i) & mask];
		if (__builtin_expect(head > mask, 0)) {
			virtq_break(ring, VIRTQ_BAD_HEAD);
			return i;
		}
		struct vring_desc desc = virtq_read(table, head);
		batch->chain[i] = head;
		data[i] = NULL;
		len[i] = desc.len;
		if (__builtin_expect(desc.flags != 0 || desc.len <= header_len, 0))
			continue;
		data[i] = memory_at(ring->memory, &ring->hint, desc.addr, desc.len);
		pop_prefetch(data[i]);
	}
	return n;
}

/**
 * Length of the headers of a frame with a TCP header at `start`. The data offset is read once,
 * since it lies in guest memory if it is beyond the head.
 *
 * @return bytes; 0 if the headers are malformed or longer than FRAME_HEADERS_MAX
 */
static uint32_t
pop_headers(const struct frame *frame, uint32_t start)
{
	uint32_t at = start + TCP_OFFSET_BYTE;
	uint8_t offset;

	if (at >= frame->len)
		return 0;
	frame_read(frame, at, &offset, sizeof(offset));
	uint32_t length = start + (uint32_t)(offset >> 4) * 4;
	return length < frame->len && length <= FRAME_HEADERS_MAX ? length : 0;
}

/** Check and store the sender's offload request. @return false if it is malformed */
static bool
pop_offload(const struct virtq *ring, struct virtq_header *header, struct frame *frame)
{
	/* Keep the compiler from reading guest memory again. */
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
	if ((offload->flags & ~ring->offloads) != 0 || header->gso_size == 0)
		return false;
	offload->gso_size = header->gso_size;
	/* The sender's hdr_len is only a hint; the TCP header is decisive. */
	offload->header_len = (uint16_t)pop_headers(frame, start);
	return offload->header_len > 0;
}

static inline void
pop_header(struct virtq_header *header, const uint8_t *data)
{
	memcpy(header, data, VIRTQ_HEADER_LEN);
}

/** Set up a frame whose buffer holds header and frame. @return flags and gso_type of the header */
static inline uint16_t
pop_simple(uint32_t header_len, uint8_t *head, struct frame_segment *segment, const uint8_t *data,
	uint32_t len, struct frame *frame)
{
	uint32_t size = len - header_len;
	uint32_t head_len = size < VIRTQ_HEAD ? size : VIRTQ_HEAD;
	uint16_t undone;

	copy_head(head - header_len, data, header_len + head_len);
	memcpy(&undone, head - header_len, sizeof(undone));
	*segment = (struct frame_segment){data + header_len, size};
	frame->segment = segment;
	frame->head = head;
	frame->len = size;
	frame->head_len = (uint16_t)head_len;
	return undone;
}

/** pop_offload() of a frame whose header pop_simple() copied in front of its head. */
static __attribute__((noinline)) bool
pop_simple_offload(const struct virtq *ring, struct frame *frame)
{
	struct virtq_header header;

	pop_header(&header, frame->head - ring->header_len);
	return pop_offload(ring, &header, frame);
}

/** Bits of flags and gso_type that request an offload: NEEDS_CSUM, any segmentation. */
enum { POP_UNDONE = VIRTIO_NET_HDR_F_NEEDS_CSUM | 0xff00 };

/**
 * The second pass over frames in one buffer each, up to the first of another kind: the common case,
 * in a loop of its own.
 *
 * @return number of frames
 */
static inline uint16_t
pop_run(const struct virtq *ring, struct virtq_batch *batch, uint16_t from, uint16_t n,
	uint16_t segment, uint8_t *const data[], const uint32_t len[], struct frame frames[])
{
	struct frame plain = {.inflight = ring->inflight, .segments = 1};
	uint32_t header_len = ring->header_len, most = VIRTQ_FRAME_MAX + header_len;
	struct frame_segment *next = &batch->segment[segment];
	size_t i;

	/* Have the compiler copy it as a whole instead of storing known zeros field by field. */
	__asm__ volatile("" : "+m"(plain));

	for (i = from; i < n; i++) {
		if (__builtin_expect(data[i] == NULL || len[i] > most, 0))
			break;
		*frames = plain;
		frames->index = (uint16_t)i;
		uint16_t undone = pop_simple(header_len, batch->head[i] + VIRTQ_HEADER_MAX, next++,
			data[i], len[i], frames);
		if (__builtin_expect((undone & POP_UNDONE) != 0, 0) &&
			!pop_simple_offload(ring, frames))
			break;
		frames++;
	}
	return (uint16_t)(i - from);
}

/** Copy bytes out of a list of buffers, from the end of the last call on. */
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

/**
 * Set up a frame from a chain of any kind.
 *
 * @param n buffers; negative: result of walking the chain
 * @return 1 a frame, 0 malformed, negative: end of the burst
 */
static int
pop_buffers(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	struct virtq_buffer buffers[], int n, struct frame *frame)
{
	struct virtq_header header = {0};
	uint8_t raw[16] = {0};
	uint64_t total = 0;
	int at = 0;

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
	frame->inflight = ring->inflight;
	frame->segment = &batch->segment[*segments];
	frame->segments = (uint16_t)(n - at);
	frame->index = index;
	for (int i = at; i < n; i++)
		batch->segment[(*segments)++] =
			(struct frame_segment){buffers[i].data, buffers[i].len};
	frame->len = (uint32_t)(total - ring->header_len);
	uint8_t *head = batch->head[index] + VIRTQ_HEADER_MAX;
	frame->head = head;
	frame->head_len = (uint16_t)(frame->len < VIRTQ_HEAD ? frame->len : VIRTQ_HEAD);
	pop_gather(buffers, n, &at, head, frame->head_len);
	frame->offload = (struct frame_offload){0};
	return pop_offload(ring, &header, frame);
}

static int
pop_chain(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	struct frame *frame)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	int n = virtq_walk(ring, batch->chain[index], false, buffers);

	return pop_buffers(ring, batch, index, segments, buffers, n, frame);
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
	n = pop_descriptors(ring, batch, n, data, len);
	for (i = 0; i < n; i++) {
		if (__builtin_expect(segments + n <= VIRTQ_SEGMENTS, 1)) {
			uint16_t run =
				pop_run(ring, batch, i, n, segments, data, len, &frames[kept]);
			segments += run;
			kept += run;
			i += run;
			if (__builtin_expect(i == n, 1))
				break;
		}
		int rc = pop_chain(ring, batch, i, &segments, &frames[kept]);
		if (rc < 0)
			break;
		kept += (uint16_t)rc;
		*bad += rc == 0;
	}
	batch->taken = i;
	/* Before any frame leaves: frames that may have been delivered are not sent again. */
	if (ring->journal != NULL) {
		ring->journal->done = ring->last_used;
		__atomic_store_n(
			&ring->journal->taken, (uint16_t)(ring->last_avail + i), __ATOMIC_RELEASE);
	}
	return kept;
}

#endif
