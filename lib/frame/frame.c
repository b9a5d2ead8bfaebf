/* SPDX-License-Identifier: BSD-3-Clause */
/* Access to the bytes of a frame, in mbufs or in guest memory. */
#include "frame/frame.h"

void
frame_free(struct frame *const frames[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(frames[i]->mbuf);
}

/**
 * frame_read() of a frame in guest memory. The head is read from host memory, so that the bytes
 * sent are those that were classified.
 */
static void
frame_read_segments(const struct frame *frame, uint32_t at, uint8_t *to, uint32_t n)
{
	uint32_t skip = frame->head_len > at ? frame->head_len : at;

	if (at < frame->head_len) {
		uint32_t part = RTE_MIN(n, frame->head_len - at);
		memcpy(to, frame->head + at, part);
		to += part;
		n -= part;
	}
	for (uint16_t i = 0; n > 0 && i < frame->segments; i++) {
		struct frame_segment rest = frame_segment_skip(&frame->segment[i], &skip);
		uint32_t part = RTE_MIN(n, rest.len);
		memcpy(to, rest.data, part);
		to += part;
		n -= part;
	}
}

void
frame_read(const struct frame *frame, uint32_t at, uint8_t *to, uint32_t n)
{
	if (frame->mbuf == NULL) {
		frame_read_segments(frame, at, to, n);
		return;
	}
	const void *bytes = rte_pktmbuf_read(frame->mbuf, at, n, to);
	if (bytes != NULL && bytes != to)
		memcpy(to, bytes, n);
}
