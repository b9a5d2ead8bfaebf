/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of a guest's packed transmit ring. Descriptors lie side by side and say themselves
 * whether they are available: runs of chains of one buffer are translated and prefetched, then
 * read; chains of other shapes come one by one in between. Included by isa.c, once for each
 * instruction set.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PACKED_POP_H
#define SHUNT_VRING_PACKED_POP_H

#include "vring/packed.h"
#include "vring/pop.h"

/** A burst of a packed ring, half way. */
struct packed_pop {
	uint8_t *data[FRAME_BURST]; /**< buffers of the run */
	uint32_t len[FRAME_BURST];
	uint32_t room;     /**< descriptors that can still be taken */
	uint16_t place;    /**< where the ring goes on */
	uint16_t segments; /**< of the batch, used */
};

/**
 * Take available descriptors that are header and frame in one.
 *
 * @param end up to so many frames in the batch
 * @return how many frames the batch has now; those before batch->taken are untouched
 */
static inline uint16_t
packed_pop_run(
	struct virtq *ring, struct virtq_batch *batch, struct packed_pop *state, uint16_t end)
{
	const struct memory *memory = ring->memory;
	uint16_t place = state->place, i;

	for (i = batch->taken; i < end; i++) {
		uint16_t position = virtq_packed_position(place);
		struct virtq_packed_desc desc = virtq_packed_read(ring, position);
		if (desc.flags != virtq_packed_available(place) || desc.len <= ring->header_len)
			break;
		uint8_t *data = memory_at(memory, &ring->hint, desc.addr, desc.len);
		if (data == NULL)
			break;
		__builtin_prefetch(data);
		__builtin_prefetch(data + POP_GLANCE);
		state->data[i] = data;
		state->len[i] = desc.len;
		batch->chain[i] = desc.id;
		batch->descs[i] = 1;
		place = virtq_packed_advance(ring, place, 1);
	}
	state->place = place;
	return i;
}

/** The chain that ended a run. @return 1 a frame, 0 not one, negative: stop here */
static int
packed_pop_chain(struct virtq *ring, struct virtq_batch *batch, struct packed_pop *state,
	struct frame *frame)
{
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX];
	struct virtq_chain chain = {0};
	uint16_t index = batch->taken;
	int rc = virtq_packed_walk(ring, state->place, state->room, false, buffers, &chain);

	rc = pop_buffers(ring, batch, index, &state->segments, buffers, rc, frame);
	if (rc < 0)
		return rc;
	batch->chain[index] = chain.id;
	batch->descs[index] = chain.descs;
	batch->taken++;
	state->room -= chain.descs;
	state->place = virtq_packed_advance(ring, state->place, chain.descs);
	return rc;
}

static __attribute__((noinline)) void
packed_pop_list(struct virtq *ring, const struct virtq_batch *batch)
{
	struct virtq_journal_chain chains[FRAME_BURST];

	for (uint16_t i = 0; i < batch->taken; i++)
		chains[i] = (struct virtq_journal_chain){batch->chain[i], batch->descs[i], 0};
	virtq_packed_list(ring, chains, batch->taken);
}

/** Before any of the frames leaves: once they may have been delivered they are not sent again. */
static inline void
packed_pop_note(struct virtq *ring, const struct virtq_batch *batch, const struct packed_pop *state)
{
	if (ring->journal == NULL || batch->taken == 0)
		return;
	if (state->room + batch->taken != (uint32_t)ring->mask + 1)
		packed_pop_list(ring, batch);
	__atomic_store_n(&ring->journal->taken, state->place, __ATOMIC_RELEASE);
}

static uint16_t
packed_pop_burst(struct virtq *ring, struct virtq_batch *batch, struct frame frames[], uint16_t n,
	uint64_t *bad)
{
	struct packed_pop state;
	uint16_t kept = 0;
	int rc = 0;

	batch->taken = 0;
	if (atomic_load_explicit(&ring->broken, memory_order_relaxed) != VIRTQ_GOOD)
		return 0;
	state.room = (uint32_t)ring->mask + 1;
	state.place = ring->last_avail;
	state.segments = 0;
	while (batch->taken < n && state.room > 0) {
		uint32_t most = VIRTQ_SEGMENTS - state.segments;
		most = most < state.room ? most : state.room;
		most = most < n - batch->taken + 0u ? most : n - batch->taken + 0u;
		uint16_t from = batch->taken, place = state.place;
		uint16_t end = packed_pop_run(ring, batch, &state, (uint16_t)(from + most));
		uint16_t run = pop_run(ring, batch, from, end, state.segments, state.data,
			state.len, &frames[kept]);
		kept += run;
		batch->taken = (uint16_t)(from + run);
		state.segments += run;
		state.room -= run;
		/* What is no frame after all is looked at once more, as a chain. */
		state.place = virtq_packed_advance(ring, place, run);
		if (batch->taken == n || state.room == 0)
			break;
		rc = packed_pop_chain(ring, batch, &state, &frames[kept]);
		if (rc < 0)
			break;
		kept += (uint16_t)rc;
		*bad += rc == 0;
	}
	packed_pop_note(ring, batch, &state);
	return kept;
}

#endif
