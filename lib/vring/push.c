/* SPDX-License-Identifier: BSD-3-Clause */
/* Push of a frame over several buffers: chains of any shape, mergeable receive buffers. */
#include "vring/push.h"

#include <errno.h>

/** Copy bytes into the buffers of a target, from the end of the last call on. */
static void
push_scatter(
	const struct virtq *ring, struct push_target *target, const uint8_t *from, uint32_t len)
{
	while (len > 0 && target->at < target->n) {
		struct virtq_buffer *buffer = &target->buffer[target->at];
		uint32_t part = buffer->len < len ? buffer->len : len;

		memcpy(buffer->data, from, part);
		dirty_log_mark(ring->dirty_log, ring->memory, buffer->data, part);
		from += part;
		len -= part;
		buffer->data += part;
		buffer->len -= part;
		target->at += buffer->len == 0;
	}
}

/** Add the next available chain. @return its space in bytes; negative as push_walk_fn */
static int64_t
push_add_chain(struct virtq *ring, push_walk_fn walk, struct push_target *target)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain = {0};
	uint64_t space = 0;
	int n = walk(ring, target, buffers, &chain);

	if (n < 0)
		return n;
	if (target->n + (unsigned)n > VIRTQ_CHAIN_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++) {
		space += buffers[i].len;
		target->buffer[target->n++] = buffers[i];
	}
	if (space < ring->header_len) {
		virtq_break(ring, VIRTQ_BAD_RX_BUFFER);
		return -EINVAL;
	}
	if (space > VIRTQ_FRAME_MAX * 2)
		space = VIRTQ_FRAME_MAX * 2;
	target->used[target->chains].chain = chain;
	target->used[target->chains++].len = (uint32_t)space;
	target->descs += chain.descs;
	return (int64_t)space;
}

/** Write header and frame into the buffers of a target; set the length of each chain. */
static void
push_fill(struct virtq *ring, const struct frame *frame, struct push_target *target)
{
	struct virtq_header header;
	uint32_t left = frame->len + ring->header_len;

	push_header(frame, (uint16_t)target->chains, &header);
	push_scatter(ring, target, (const uint8_t *)&header, ring->header_len);
	if (frame->mbuf != NULL) {
		for (const struct rte_mbuf *m = frame->mbuf; m != NULL; m = m->next)
			push_scatter(ring, target, rte_pktmbuf_mtod(m, const uint8_t *),
				rte_pktmbuf_data_len(m));
	} else {
		uint32_t skip = frame->head_len;
		push_scatter(ring, target, frame->head, frame->head_len);
		for (uint16_t i = 0; i < frame->segments; i++) {
			struct frame_segment rest = frame_segment_skip(&frame->segment[i], &skip);
			push_scatter(ring, target, rest.data, rest.len);
		}
	}
	for (unsigned i = 0; i < target->chains; i++) {
		if (target->used[i].len > left)
			target->used[i].len = left;
		left -= target->used[i].len;
	}
}

int
push_buffers(struct virtq *ring, const struct frame *frame, uint32_t limit, push_walk_fn walk,
	struct push_target *target)
{
	uint64_t space = 0, need = (uint64_t)frame->len + ring->header_len;
	unsigned most = ring->mergeable ? PUSH_CHAINS_MAX : 1;

	target->n = target->at = target->chains = 0;
	target->descs = 0;
	target->limit = limit;
	while (space < need) {
		/* Even the whole ring may be too small for the frame. */
		if (target->chains == most || target->chains > ring->mask ||
			target->descs > ring->mask)
			return -E2BIG;
		int64_t more = push_add_chain(ring, walk, target);
		if (more < 0)
			return (int)more;
		space += (uint64_t)more;
	}
	push_fill(ring, frame, target);
	return 0;
}
