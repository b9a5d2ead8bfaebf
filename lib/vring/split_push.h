/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Push of a split ring: runs of frames that fit one buffer each in two passes, descriptors and
 * data; other frames one by one over several buffers (push.h). Included by isa.c, once for each
 * instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_SPLIT_PUSH_H
#define SHUNT_VRING_SPLIT_PUSH_H

#include "vring/push.h"
#include "vring/split_desc.h"

/**
 * Read the next available chains of one buffer each.
 *
 * @param to receives the buffers
 * @param space receives their lengths, bytes
 * @param head receives their head descriptors
 * @return number of chains, up to n
 */
static inline uint16_t
split_push_descriptors(
	struct virtq *ring, uint16_t n, uint8_t *to[], uint32_t space[], uint16_t head[])
{
	const volatile uint16_t *heads = ring->avail->ring;
	const struct vring_desc *table = ring->desc;
	uint16_t mask = ring->mask;
	uint16_t i = split_desc_run(ring, n, VRING_DESC_F_WRITE, head, to, space);

	virtq_split_prefetch_used(ring, n);
	for (uint16_t j = 0; j < i; j++)
		push_prefetch(to[j]);
	for (; i < n; i++) {
		head[i] = heads[(uint16_t)(ring->last_avail + i) & mask];
		if (__builtin_expect(head[i] > mask, 0))
			return i;
		struct vring_desc desc = virtq_split_read_desc(table, head[i]);
		if (__builtin_expect(desc.flags != VRING_DESC_F_WRITE, 0))
			return i;
		to[i] = memory_translate(ring->memory, &ring->hint, desc.addr, desc.len);
		if (__builtin_expect(to[i] == NULL, 0))
			return i;
		space[i] = desc.len;
		push_prefetch(to[i]);
	}
	return n;
}

/**
 * push_run_fn of a split ring: push frames while each fits one buffer.
 *
 * @return number of frames sent
 */
static inline uint16_t
split_push_run(struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes)
{
	struct vring_used *used = ring->used;
	uint32_t header_len = ring->header_len;
	uint16_t mask = ring->mask, last_used = ring->last_used;
	uint8_t *to[FRAME_BURST];
	uint32_t space[FRAME_BURST];
	uint16_t head[FRAME_BURST], i;
	uint64_t sum = 0;

	n = split_push_descriptors(ring, n, to, space, head);
	for (i = 0; i < n; i++) {
		uint32_t len = frames[i]->len + header_len;
		if (__builtin_expect(space[i] < len, 0))
			break;
		if (len > PUSH_PREFETCHED && i + 1 < n)
			push_prefetch_next(to[i + 1], frames[i + 1]);
		push_single(to[i], header_len, frames[i]);
		virtq_split_use(used, last_used++ & mask, head[i], len);
		sum += len;
	}
	*bytes += sum - (uint64_t)header_len * i;
	ring->last_used = last_used;
	ring->last_avail = (uint16_t)(ring->last_avail + i);
	return i;
}

/** push_walk_fn of a split ring. */
static int
split_push_walk(struct virtq *ring, const struct push_target *target, struct virtq_buffer buffers[],
	struct virtq_chain *chain)
{
	if (target->chains == target->limit)
		return -EAGAIN;
	chain->id = virtq_split_head(ring, (uint16_t)(ring->last_avail + target->chains));
	return virtq_split_walk(ring, chain->id, true, buffers);
}

/**
 * push_chains_fn of a split ring: push a frame over several buffers.
 *
 * @return chains used; negative as push_buffers()
 */
static int
split_push_chains(struct virtq *ring, const struct frame *frame, uint32_t available)
{
	struct push_target target;
	int rc = push_buffers(ring, frame, available, split_push_walk, &target);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < target.chains; i++)
		virtq_split_use_next(ring, target.used[i].chain.id, target.used[i].len);
	ring->last_avail = (uint16_t)(ring->last_avail + target.chains);
	return (int)target.chains;
}

/** virtq_push() of a split ring. */
static inline uint16_t
split_push_burst(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	uint16_t available = virtq_split_available(ring), before = ring->last_used;
	uint16_t done =
		push_frames(ring, frames, n, available, split_push_run, split_push_chains, result);

	if (ring->last_used != before)
		virtq_split_publish(ring);
	return done;
}

#endif
