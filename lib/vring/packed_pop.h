/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pop of a packed ring. Descriptors are contiguous and carry their availability, so runs of chains
 * of one buffer are translated and prefetched first and read afterwards; chains of other shapes
 * are taken one by one in between. Included by isa.c, once for each instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PACKED_POP_H
#define SHUNT_VRING_PACKED_POP_H

#include "base/shared.h"
#include "vring/packed.h"
#include "vring/pop.h"

/** State of a burst of a packed ring. */
struct packed_pop {
	uint8_t *data[FRAME_BURST]; /**< buffers of a run, by frame */
	uint32_t len[FRAME_BURST];
	uint32_t space;    /**< descriptors not taken by this burst */
	uint16_t idx_wrap; /**< next descriptor */
	uint16_t segments; /**< used in the batch */
};

/**
 * Read available chains of one descriptor that holds header and frame.
 *
 * @param end upper limit of frames in the batch
 * @return frames in the batch, including the unchanged ones before batch->popped
 */
static inline uint16_t
packed_pop_descriptors(
	struct virtq *ring, struct virtq_batch *batch, struct packed_pop *state, uint16_t end)
{
	const struct memory *memory = ring->memory;
	uint16_t idx_wrap = state->idx_wrap, i;

	for (i = batch->popped; i < end; i++) {
		uint16_t position = virtq_packed_index(idx_wrap);
		struct virtq_packed_desc desc = virtq_packed_read_desc(ring, position);
		if (desc.flags != virtq_packed_avail_flags(idx_wrap) ||
			desc.len <= ring->header_len)
			break;
		uint8_t *data = memory_translate(memory, &ring->hint, desc.addr, desc.len);
		if (data == NULL)
			break;
		__builtin_prefetch(data);
		__builtin_prefetch(data + POP_SECOND_LINE);
		state->data[i] = data;
		state->len[i] = desc.len;
		batch->chain[i] = desc.id;
		batch->descs[i] = 1;
		idx_wrap = virtq_packed_advance(ring, idx_wrap, 1);
	}
	state->idx_wrap = idx_wrap;
	return i;
}

/** Pop a chain of any shape. @return 1: a frame; 0: malformed; negative: end of the burst */
static int
packed_pop_chain(struct virtq *ring, struct virtq_batch *batch, struct packed_pop *state,
	struct frame *frame)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain = {0};
	uint16_t index = batch->popped;
	int rc = virtq_packed_walk(ring, state->idx_wrap, state->space, false, buffers, &chain);

	rc = pop_buffers(ring, batch, index, &state->segments, buffers, rc, frame);
	if (rc < 0)
		return rc;
	batch->chain[index] = chain.id;
	batch->descs[index] = chain.descs;
	batch->popped++;
	state->space -= chain.descs;
	state->idx_wrap = virtq_packed_advance(ring, state->idx_wrap, chain.descs);
	return rc;
}

/** List the chains of a batch in the journal, since some have several descriptors. */
static __attribute__((noinline)) void
packed_pop_journal_chains(struct virtq *ring, const struct virtq_batch *batch)
{
	struct virtq_journal_chain chains[FRAME_BURST];

	for (uint16_t i = 0; i < batch->popped; i++)
		chains[i] = (struct virtq_journal_chain){batch->chain[i], batch->descs[i], 0};
	virtq_packed_journal_chains(ring, chains, batch->popped);
}

/**
 * Journal the burst before any frame leaves the ring: frames that may have been delivered are not
 * sent again.
 */
static inline void
packed_pop_journal(
	struct virtq *ring, const struct virtq_batch *batch, const struct packed_pop *state)
{
	if (ring->journal == NULL || batch->popped == 0)
		return;
	if (state->space + batch->popped != (uint32_t)ring->mask + 1)
		packed_pop_journal_chains(ring, batch);
	shared_store_release(&ring->journal->burst_end, state->idx_wrap);
}

/** virtq_pop() of a packed ring. */
static uint16_t
packed_pop_burst(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	struct packed_pop state;
	uint16_t kept = 0;
	int rc = 0;

	batch->popped = 0;
	if (atomic_load_explicit(&ring->broken, memory_order_relaxed) != VIRTQ_GOOD)
		return 0;
	state.space = (uint32_t)ring->mask + 1;
	state.idx_wrap = ring->last_avail;
	state.segments = 0;
	while (batch->popped < n && state.space > 0) {
		uint32_t most = VIRTQ_SEGMENTS - state.segments;
		most = most < state.space ? most : state.space;
		most = most < n - batch->popped + 0u ? most : n - batch->popped + 0u;
		uint16_t from = batch->popped, idx_wrap = state.idx_wrap;
		uint16_t end = packed_pop_descriptors(ring, batch, &state, (uint16_t)(from + most));
		uint16_t run = pop_run(ring, batch, from, end, state.segments, state.data,
			state.len, &frames[kept]);
		kept += run;
		batch->popped = (uint16_t)(from + run);
		state.segments += run;
		state.space -= run;
		/* A malformed frame that ended the run is taken again, as a chain. */
		state.idx_wrap = virtq_packed_advance(ring, idx_wrap, run);
		if (batch->popped == n || state.space == 0)
			break;
		rc = packed_pop_chain(ring, batch, &state, &frames[kept]);
		if (rc < 0)
			break;
		kept += (uint16_t)rc;
		*bad += rc == 0;
	}
	packed_pop_journal(ring, batch, &state);
	return kept;
}

#endif
