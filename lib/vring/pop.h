/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns popped buffers into frames; shared by split and packed rings. Inline functions are for
 * isa.c, which is compiled once for each instruction set; pop.c is compiled once.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_POP_H
#define SHUNT_VRING_POP_H

#include <linux/virtio_net.h>

#include "vring/copy.h"
#include "vring/chain.h"

enum { POP_SECOND_LINE = 64 }; /**< offset of the second prefetched line of a buffer */

/**
 * pop_offload() of a frame whose header pop_single() copied in front of its head.
 *
 * @return false if the offload request is malformed
 */
bool pop_single_offload(const struct virtq *ring, struct frame *frame);

/**
 * Set up a frame from a chain of any shape.
 *
 * @param index of the frame in the batch
 * @param segments segments of the batch in use; updated
 * @param n number of buffers; negative: the error of walking the chain
 * @return 1: a frame; 0: malformed; negative: end of the burst
 */
int pop_buffers(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	struct virtq_buffer buffers[], int n, struct frame *frame);

/** Set up a frame from one buffer with its header. @return flags and gso_type of the header */
static inline uint16_t
pop_single(uint32_t header_len, uint8_t *head, struct frame_segment *segment, const uint8_t *data,
	uint32_t len, struct frame *frame)
{
	uint32_t size = len - header_len;
	uint32_t head_len = size < VIRTQ_HEAD ? size : VIRTQ_HEAD;
	uint16_t requested;

	copy_head(head - header_len, data, header_len + head_len);
	memcpy(&requested, head - header_len, sizeof(requested));
	*segment = (struct frame_segment){data + header_len, size};
	frame->segment = segment;
	frame->head = head;
	frame->len = size;
	frame->head_len = (uint16_t)head_len;
	return requested;
}

/** Bits of flags and gso_type that request an offload: NEEDS_CSUM, any segmentation. */
enum { POP_OFFLOAD_MASK = VIRTIO_NET_HDR_F_NEEDS_CSUM | 0xff00 };

/**
 * Set up frames from chains of one buffer each, up to the first chain of another kind. The common
 * case, in a loop of its own.
 *
 * @param data HVA of each chain's only buffer; NULL = a chain of another kind
 * @return number of frames
 */
static inline uint16_t
pop_run(const struct virtq *ring, struct virtq_batch *batch, uint16_t from, uint16_t n,
	uint16_t segment, uint8_t *const data[], const uint32_t len[], struct frame frames[])
{
	struct frame plain = {
		.inflight = ring->inflight, .segments = 1, .headroom = VIRTQ_HEADER_MAX};
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
		uint16_t requested = pop_single(header_len, batch->head[i] + VIRTQ_HEADER_MAX,
			next++, data[i], len[i], frames);
		if (__builtin_expect((requested & POP_OFFLOAD_MASK) != 0, 0) &&
			!pop_single_offload(ring, frames))
			break;
		frames++;
	}
	return (uint16_t)(i - from);
}

#endif
