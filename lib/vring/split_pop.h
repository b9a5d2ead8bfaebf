/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pop of a split ring, in two passes over the burst: the first reads descriptors and prefetches
 * headers, the second reads the headers (pop.h). Included by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_SPLIT_POP_H
#define SHUNT_VRING_SPLIT_POP_H

#include "base/shared.h"
#include "vring/pop.h"
#include "vring/split_desc.h"

/** Prefetch the first two lines of a buffer. @param data NULL is allowed */
static inline void
split_pop_prefetch(const uint8_t *data)
{
	__builtin_prefetch(data);
	/* Integer arithmetic, since data may be NULL. */
	__builtin_prefetch((const void *)((uintptr_t)data + POP_SECOND_LINE));
}

/**
 * The first pass: read heads, and translate buffers of the common kind, one descriptor with header
 * and frame. The buffers are prefetched for the second pass; the rings are read sequentially,
 * which the hardware prefetcher covers.
 *
 * @param data receives the HVA of each buffer, NULL for chains of another kind
 * @return number of valid heads
 */
static inline uint16_t
split_pop_descriptors(
	struct virtq *ring, struct virtq_batch *batch, uint16_t n, uint8_t *data[], uint32_t len[])
{
	const volatile uint16_t *heads = ring->avail->ring;
	const struct vring_desc *table = ring->desc;
	uint16_t mask = ring->mask, i = split_desc_run(ring, n, 0, batch->chain, data, len);
	uint32_t header_len = ring->header_len;

	virtq_split_prefetch_used(ring, n);
	for (uint16_t j = 0; j < i; j++)
		split_pop_prefetch(data[j]);
	for (; i < n; i++) {
		uint16_t head = heads[(uint16_t)(ring->last_avail + i) & mask];
		if (__builtin_expect(head > mask, 0)) {
			virtq_break(ring, VIRTQ_BAD_HEAD);
			return i;
		}
		struct vring_desc desc = virtq_split_read_desc(table, head);
		batch->chain[i] = head;
		data[i] = NULL;
		len[i] = desc.len;
		if (__builtin_expect(desc.flags != 0 || desc.len <= header_len, 0))
			continue;
		data[i] = memory_translate(ring->memory, &ring->hint, desc.addr, desc.len);
		split_pop_prefetch(data[i]);
	}
	return n;
}

/** Pop a chain of any shape. @return 1: a frame; 0: malformed; negative: end of the burst */
static int
split_pop_chain(struct virtq *ring, struct virtq_batch *batch, uint16_t index, uint16_t *segments,
	struct frame *frame)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	int n = virtq_split_walk(ring, batch->chain[index], false, buffers);

	return pop_buffers(ring, batch, index, segments, buffers, n, frame);
}

/** virtq_pop() of a split ring. */
static uint16_t
split_pop_burst(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	uint8_t *data[FRAME_BURST];
	uint32_t len[FRAME_BURST];
	uint16_t available = virtq_split_available(ring), segments = 0, kept = 0, i;

	batch->popped = 0;
	n = available < n ? available : n;
	if (n == 0 || atomic_load_explicit(&ring->broken, memory_order_relaxed) != VIRTQ_GOOD)
		return 0;
	n = split_pop_descriptors(ring, batch, n, data, len);
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
		int rc = split_pop_chain(ring, batch, i, &segments, &frames[kept]);
		if (rc < 0)
			break;
		kept += (uint16_t)rc;
		*bad += rc == 0;
	}
	batch->popped = i;
	/* Before any frame leaves: frames that may have been delivered are not sent again. */
	if (ring->journal != NULL) {
		ring->journal->used = ring->last_used;
		shared_store_release(&ring->journal->burst_end, (uint16_t)(ring->last_avail + i));
	}
	return kept;
}

#endif
