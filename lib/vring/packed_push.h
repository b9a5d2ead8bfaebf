/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Push of a packed ring: runs of frames that fit one buffer each; other frames one by one over
 * several buffers (push.h). Included by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PACKED_PUSH_H
#define SHUNT_VRING_PACKED_PUSH_H

#include "vring/packed.h"
#include "vring/push.h"

_Static_assert((int)PUSH_CHAINS_MAX <= (int)VIRTQ_JOURNAL_CHAINS, "a frame's chains fit");

/**
 * push_run_fn of a packed ring: push frames while each fits one buffer.
 *
 * @return number of frames sent
 */
static inline uint16_t
packed_push_run(struct virtq *ring, struct frame *const frames[], uint16_t n, uint64_t *bytes)
{
	uint8_t *to[FRAME_BURST];
	uint16_t id[FRAME_BURST], idx_wrap = ring->last_avail, fit;

	for (fit = 0; fit < n; fit++) {
		uint16_t position = virtq_packed_index(idx_wrap);
		struct virtq_packed_desc desc = virtq_packed_read_desc(ring, position);
		if (desc.flags != (virtq_packed_avail_flags(idx_wrap) | VRING_DESC_F_WRITE) ||
			desc.len < frames[fit]->len + VIRTQ_HEADER_MAX)
			break;
		to[fit] = memory_translate(ring->memory, &ring->hint, desc.addr, desc.len);
		if (to[fit] == NULL)
			break;
		push_prefetch(to[fit]);
		id[fit] = desc.id;
		idx_wrap = virtq_packed_advance(ring, idx_wrap, 1);
	}
	ring->last_avail = idx_wrap;
	for (uint16_t i = 0; i < fit; i++) {
		uint32_t len = frames[i]->len + VIRTQ_HEADER_MAX;
		if (len > PUSH_PREFETCHED && i + 1 < fit)
			push_prefetch_next(to[i + 1], frames[i + 1]);
		push_single(to[i], VIRTQ_HEADER_MAX, frames[i]);
		virtq_packed_use(ring, (struct virtq_chain){id[i], 1}, len, VRING_DESC_F_WRITE);
		*bytes += frames[i]->len;
	}
	return fit;
}

/** push_walk_fn of a packed ring. */
static int
packed_push_walk(struct virtq *ring, const struct push_target *target,
	struct virtq_buffer buffers[], struct virtq_chain *chain)
{
	uint16_t idx_wrap = virtq_packed_advance(ring, ring->last_avail, target->descs);

	if (target->descs >= target->limit)
		return -EAGAIN;
	return virtq_packed_walk(
		ring, idx_wrap, target->limit - target->descs, true, buffers, chain);
}

/** List the chains of a frame in the journal, before the first of them is used. */
static void
packed_push_journal(struct virtq *ring, const struct push_target *target)
{
	struct virtq_journal_chain chains[PUSH_CHAINS_MAX];

	for (unsigned i = 0; i < target->chains; i++)
		chains[i] = (struct virtq_journal_chain){
			target->used[i].chain.id, target->used[i].chain.descs, target->used[i].len};
	virtq_packed_journal_chains(ring, chains, target->chains);
}

/**
 * push_chains_fn of a packed ring: push a frame over several buffers.
 *
 * @return descriptors used; negative as push_buffers()
 */
static int
packed_push_chains(struct virtq *ring, const struct frame *frame, uint32_t space)
{
	struct push_target target;
	int rc = push_buffers(ring, frame, space, packed_push_walk, &target);

	if (rc < 0)
		return rc;
	/* The list must cover the whole burst, so frames before this one are published first. */
	if (ring->first_used != NULL)
		virtq_packed_publish(ring);
	if (ring->journal != NULL)
		packed_push_journal(ring, &target);
	for (unsigned i = 0; i < target.chains; i++)
		virtq_packed_use(
			ring, target.used[i].chain, target.used[i].len, VRING_DESC_F_WRITE);
	ring->last_avail = virtq_packed_advance(ring, ring->last_avail, target.descs);
	virtq_packed_publish(ring);
	return (int)target.descs;
}

/** virtq_push() of a packed ring. */
static inline uint16_t
packed_push_burst(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result)
{
	uint16_t done = push_frames(ring, frames, n, (uint32_t)ring->mask + 1, packed_push_run,
		packed_push_chains, result);

	if (ring->first_used != NULL)
		virtq_packed_publish(ring);
	return done;
}

#endif
