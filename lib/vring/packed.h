/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of a packed ring share: whose a descriptor is, and giving it back
 * (virtio 1.2 section 2.8). Private to lib/vring.
 *
 * A place in the ring is a position and, in bit 15, the wrap counter: as the event areas and
 * librte_vhost have it. The counter starts as 1 and changes with every round.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PACKED_H
#define SHUNT_VRING_PACKED_H

#include "vring/vring_internal.h"

enum {
	VIRTQ_PACKED_WRAP = 1 << 15, /**< of a place: the wrap counter */
	VIRTQ_PACKED_OWNER =
		1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED, /**< of flags */
	VIRTQ_PACKED_FIRST = VIRTQ_PACKED_WRAP, /**< place where a ring begins */
};

static inline uint16_t
virtq_packed_position(uint16_t place)
{
	return place & (VIRTQ_PACKED_WRAP - 1);
}

/** @param n descriptors to move on by, up to the size of the ring */
static inline uint16_t
virtq_packed_step(uint32_t size, uint16_t place, uint32_t n)
{
	uint32_t position = virtq_packed_position(place) + n;
	uint32_t wrap = place & VIRTQ_PACKED_WRAP;

	if (position >= size) {
		position -= size;
		wrap ^= VIRTQ_PACKED_WRAP;
	}
	return (uint16_t)(position | wrap);
}

static inline uint16_t
virtq_packed_advance(const struct virtq *ring, uint16_t place, uint32_t n)
{
	return virtq_packed_step((uint32_t)ring->mask + 1, place, n);
}

/** How far a place is ahead of another: there are two rounds to tell apart. */
static inline uint32_t
virtq_packed_distance(uint32_t size, uint16_t from, uint16_t to)
{
	uint32_t distance = 2 * size + virtq_packed_position(to) - virtq_packed_position(from);

	if ((from ^ to) & VIRTQ_PACKED_WRAP)
		distance += size;
	return distance % (2 * size);
}

/** Flags of a descriptor that the driver made available, of VIRTQ_PACKED_OWNER. */
static inline uint16_t
virtq_packed_available(uint16_t place)
{
	return place & VIRTQ_PACKED_WRAP ? 1 << VRING_PACKED_DESC_F_AVAIL
					 : 1 << VRING_PACKED_DESC_F_USED;
}

/** Flags of a descriptor that the device used, of VIRTQ_PACKED_OWNER. */
static inline uint16_t
virtq_packed_used(uint16_t place)
{
	return place & VIRTQ_PACKED_WRAP ? VIRTQ_PACKED_OWNER : 0;
}

/** What the first descriptor of a chain becomes. @param flags VRING_DESC_F_WRITE or 0 */
static inline uint64_t
virtq_packed_word(uint16_t place, uint16_t id, uint32_t len, uint16_t flags)
{
	return (uint64_t)(flags | virtq_packed_used(place)) << 48 | (uint64_t)id << 32 | len;
}

/** Read a descriptor that the guest may be writing: whose it is first, and each field once. */
static inline struct virtq_packed_desc
virtq_packed_read(const struct virtq *ring, uint16_t position)
{
	const struct virtq_packed_desc *from = &ring->packed_desc[position];
	struct virtq_packed_desc desc;

	/* Acquire: pairs with the driver's store of the flags, after all else of the chain. */
	desc.word = __atomic_load_n(&from->word, __ATOMIC_ACQUIRE);
	desc.addr = __atomic_load_n(&from->addr, __ATOMIC_RELAXED);
	return desc;
}

/**
 * Use a chain: what the driver is to read where the chain began. The first of a burst is held back,
 * so that the driver finds all of them or none.
 *
 * @param flags VRING_DESC_F_WRITE when `len` bytes were written, else 0
 */
static inline void
virtq_packed_use(struct virtq *ring, struct virtq_chain chain, uint32_t len, uint16_t flags)
{
	struct virtq_packed_desc *desc = &ring->packed_desc[virtq_packed_position(ring->last_used)];
	uint64_t word = virtq_packed_word(ring->last_used, chain.id, len, flags);

	if (ring->held == NULL) {
		ring->held = desc;
		ring->held_word = word;
		if (ring->journal != NULL)
			ring->journal->word = word;
	} else {
		/* Release: the journal's word, and what was written to the buffer, come before. */
		__atomic_store_n(&desc->word, word, __ATOMIC_RELEASE);
	}
	ring->last_used = virtq_packed_advance(ring, ring->last_used, chain.descs);
}

/**
 * Collect the buffers of a chain, direct or indirect, that are not empty.
 *
 * @param place where it is to begin
 * @param most descriptors that can be its own: the ring's, less what was taken before it
 * @param writable buffers must be for us to write; or none may be
 * @param chain receives what giving it back takes; of one to read also with -E2BIG
 * @return how many; -EAGAIN: none is available; -E2BIG for a chain that is too long for us; other
 * negative: the ring is broken
 */
int virtq_packed_walk(struct virtq *ring, uint16_t place, uint32_t most, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], struct virtq_chain *chain);

/**
 * Enter chains into the journal that begin where the ring was used last, before the first of them is.
 *
 * @param n up to VIRTQ_JOURNAL_CHAINS
 */
void virtq_packed_list(struct virtq *ring, const struct virtq_journal_chain chains[], unsigned n);

/** Does the driver want to be told of what was used since `signalled`? (virtio 1.2 2.8.10, 2.8.14) */
bool virtq_packed_wants_call(const struct virtq *ring);

/** Let the driver see what was used. */
void virtq_packed_publish(struct virtq *ring);

/** virtq_pop_done() of a packed ring that gave something. */
void virtq_packed_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/** virtq_watch(): the flags of the descriptor that is next. */
const uint16_t *virtq_packed_watch(const struct virtq *ring, uint16_t *value);

void virtq_packed_suppress_kicks(struct virtq *ring);

/* packed_state.c: of a ring that no lcore uses; its driver may be adding descriptors. */

/** Whose a descriptor is: its flags, of VIRTQ_PACKED_OWNER. */
uint16_t virtq_packed_owner(const struct virtq_setup *setup, uint16_t place);

/**
 * Can a ring go on here? Available descriptors follow one another. Behind them is what was used in
 * the round before: no descriptor whose AVAIL flag has been written in the round that this place
 * sees.
 */
bool virtq_packed_plausible(const struct virtq_setup *setup, uint16_t place);

/**
 * Has no device used this ring since its driver cleared it? Then no USED flag is set, which a device
 * sets in its first round and the driver in its second, and what is available begins at the first
 * descriptor. A ring that is in use may look so too: when its device stands at the first descriptor
 * with a wrap counter of 1, where a fresh one stands as well, or right behind a chain across the
 * ring's end all of whose predecessors are used. Then descriptors that are not available still have
 * addresses, and those before its device are the end of one chain.
 *
 * @param strictly nor may descriptors that are not available have addresses
 */
bool virtq_packed_fresh(const struct virtq_setup *setup, bool strictly);

/**
 * The available chain that begins at a place.
 *
 * @param id receives its buffer id
 * @return how many descriptors it has; 0: none is available there, or it does not end
 */
uint32_t virtq_packed_chain(const struct virtq_setup *setup, uint16_t place, uint16_t *id);

/** virtq_resume() of a packed ring, but for what its journal is from then on. */
enum virtq_fault virtq_packed_resume(struct virtq_setup *setup, bool popped);

#endif
