/* SPDX-License-Identifier: BSD-3-Clause */
/* Pop of chains of any shape: gathers a frame from its buffers, checks its offload request. */
#include "vring/pop.h"

#include <errno.h>

enum { POP_TCP_OFFSET = 12 }; /* of the data offset field in a TCP header, RFC 9293 section 3.1 */

/**
 * Length of the headers of a frame with a TCP header at `start`. The data offset is read once,
 * since it lies in guest memory if it is beyond the head.
 *
 * @return bytes; 0 if the headers are malformed or longer than FRAME_HEADERS_MAX
 */
static uint32_t
pop_headers_len(const struct frame *frame, uint32_t start)
{
	uint32_t at = start + POP_TCP_OFFSET;
	uint8_t offset;

	if (at >= frame->len)
		return 0;
	frame_read(frame, at, &offset, sizeof(offset));
	uint32_t length = start + (uint32_t)(offset >> 4) * 4;
	return length < frame->len && length <= FRAME_HEADERS_MAX ? length : 0;
}

/** Copy the fields of a virtio-net header without num_buffers. */
static void
pop_read_header(struct virtq_header *header, const uint8_t *data)
{
	memcpy(header, data, VIRTQ_HEADER_LEN);
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
	offload->header_len = (uint16_t)pop_headers_len(frame, start);
	return offload->header_len > 0;
}

bool
pop_single_offload(const struct virtq *ring, struct frame *frame)
{
	struct virtq_header header;

	pop_read_header(&header, frame->head - ring->header_len);
	return pop_offload(ring, &header, frame);
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

int
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
	pop_read_header(&header, raw);
	frame->mbuf = NULL;
	frame->inflight = ring->inflight;
	frame->segment = &batch->segment[*segments];
	frame->segments = (uint16_t)(n - at);
	frame->index = index;
	frame->headroom = VIRTQ_HEADER_MAX;
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
