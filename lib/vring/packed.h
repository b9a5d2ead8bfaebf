/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internals shared by the files of a packed ring: ownership of descriptors and using them (virtio
 * 1.2 section 2.8). Private to lib/vring.
 *
 * An idx_wrap is a descriptor index with the wrap counter in bit 15, as in the event suppression
 * structures and in librte_vhost. The wrap counter starts as 1 and is inverted at the ring's end.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_PACKED_H
#define SHUNT_VRING_PACKED_H

#include "base/shared.h"
#include "vring/chain.h"

enum {
	VIRTQ_PACKED_WRAP = 1 << 15, /**< wrap counter in an idx_wrap */
	VIRTQ_PACKED_OWNER = 1 << VRING_PACKED_DESC_F_AVAIL |
			     1 << VRING_PACKED_DESC_F_USED, /**< AVAIL and USED flags */
	VIRTQ_PACKED_START = VIRTQ_PACKED_WRAP,             /**< idx_wrap of a new ring */
};

/** @return descriptor index of an idx_wrap */
static inline uint16_t
virtq_packed_index(uint16_t idx_wrap)
{
	return idx_wrap & (VIRTQ_PACKED_WRAP - 1);
}

/** Advance an idx_wrap. @param n descriptors, up to the size of the ring */
static inline uint16_t
virtq_packed_step(uint32_t size, uint16_t idx_wrap, uint32_t n)
{
	uint32_t position = virtq_packed_index(idx_wrap) + n;
	uint32_t wrap = idx_wrap & VIRTQ_PACKED_WRAP;

	if (position >= size) {
		position -= size;
		wrap ^= VIRTQ_PACKED_WRAP;
	}
	return (uint16_t)(position | wrap);
}

/** virtq_packed_step() in the ring. @param n descriptors, up to the size of the ring */
static inline uint16_t
virtq_packed_advance(const struct virtq *ring, uint16_t idx_wrap, uint32_t n)
{
	return virtq_packed_step((uint32_t)ring->mask + 1, idx_wrap, n);
}

/** @return descriptors from one idx_wrap forward to another, modulo twice the ring size */
static inline uint32_t
virtq_packed_distance(uint32_t size, uint16_t from, uint16_t to)
{
	uint32_t distance = 2 * size + virtq_packed_index(to) - virtq_packed_index(from);

	if ((from ^ to) & VIRTQ_PACKED_WRAP)
		distance += size;
	return distance % (2 * size);
}

/** @return AVAIL and USED flags of a descriptor that the driver makes available at an idx_wrap */
static inline uint16_t
virtq_packed_avail_flags(uint16_t idx_wrap)
{
	return idx_wrap & VIRTQ_PACKED_WRAP ? 1 << VRING_PACKED_DESC_F_AVAIL
					    : 1 << VRING_PACKED_DESC_F_USED;
}

/** @return AVAIL and USED flags of a descriptor that the device uses at an idx_wrap */
static inline uint16_t
virtq_packed_used_flags(uint16_t idx_wrap)
{
	return idx_wrap & VIRTQ_PACKED_WRAP ? VIRTQ_PACKED_OWNER : 0;
}

/** Word of a used descriptor. @param flags VRING_DESC_F_WRITE or 0 */
static inline uint64_t
virtq_packed_used_word(uint16_t idx_wrap, uint16_t id, uint32_t len, uint16_t flags)
{
	return (uint64_t)(flags | virtq_packed_used_flags(idx_wrap)) << 48 | (uint64_t)id << 32 |
	       len;
}

/** Read a descriptor that the guest may be writing: its flags first, each field once. */
static inline struct virtq_packed_desc
virtq_packed_read_desc(const struct virtq *ring, uint16_t position)
{
	const struct virtq_packed_desc *from = &ring->packed_desc[position];
	struct virtq_packed_desc desc;

	/* Acquire: pairs with the driver's store of the flags, which it does last. */
	desc.word = shared_load_acquire(&from->word);
	desc.addr = shared_load_relaxed(&from->addr);
	return desc;
}

/**
 * Write the used descriptor of a chain. That of the burst's first chain is stored last, by
 * virtq_packed_publish(), so that the driver sees the whole burst at once.
 *
 * @param flags VRING_DESC_F_WRITE when `len` bytes were written, else 0
 */
static inline void
virtq_packed_use(struct virtq *ring, struct virtq_chain chain, uint32_t len, uint16_t flags)
{
	struct virtq_packed_desc *desc = &ring->packed_desc[virtq_packed_index(ring->last_used)];
	uint64_t word = virtq_packed_used_word(ring->last_used, chain.id, len, flags);

	if (ring->first_used == NULL) {
		ring->first_used = desc;
		ring->first_used_word = word;
		if (ring->journal != NULL)
			ring->journal->word = word;
	} else {
		/* Release: orders the journal's word and the data in the buffer before it. */
		shared_store_release(&desc->word, word);
	}
	ring->last_used = virtq_packed_advance(ring, ring->last_used, chain.descs);
}

/**
 * Collect the non-empty buffers of a chain, direct or indirect.
 *
 * @param idx_wrap first descriptor
 * @param most longest possible chain, descriptors: the ring's, less those already taken
 * @param writable all buffers must be device-writable, else device-readable
 * @param chain receives id and length of the chain; of a readable one also with -E2BIG
 * @return number of buffers, of a writable chain the first VIRTQ_CHAIN_MAX at most; -EAGAIN: no
 *         chain is available; -E2BIG: a readable chain exceeds VIRTQ_CHAIN_MAX; other negative:
 *         the ring is broken
 */
int virtq_packed_walk(struct virtq *ring, uint16_t idx_wrap, uint32_t most, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], struct virtq_chain *chain);

/**
 * List in the journal the chains that begin at `last_used`, before the first of them is used.
 *
 * @param n up to VIRTQ_JOURNAL_CHAINS
 */
void virtq_packed_journal_chains(
	struct virtq *ring, const struct virtq_journal_chain chains[], unsigned n);

/**
 * @return true if the driver wants an interrupt for the descriptors used since `signalled` (virtio
 *         1.2 sections 2.8.10 and 2.8.14)
 */
bool virtq_packed_wants_interrupt(const struct virtq *ring);

/** Publish the burst: store its first used descriptor. A notification is pending then. */
void virtq_packed_publish(struct virtq *ring);

/** virtq_pop_done() of a packed ring for a batch that is not empty. */
void virtq_packed_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/** virtq_monitor() of a packed ring: the flags of the next descriptor. */
const uint16_t *virtq_packed_monitor(const struct virtq *ring, uint16_t *value);

/** virtq_suppress_kicks() of a packed ring. */
void virtq_packed_suppress_kicks(struct virtq *ring);

/* packed_state.c: for a ring that no lcore uses, while its driver may be adding descriptors. */

/** @return AVAIL and USED flags that a descriptor in the ring has */
uint16_t virtq_packed_read_flags(const struct virtq_setup *setup, uint16_t idx_wrap);

/**
 * Whether a ring can be resumed at an idx_wrap. Available descriptors must be contiguous from
 * there. All others were used in the previous pass over the ring, so none of them has the AVAIL
 * flag of the pass that begins at this idx_wrap.
 */
bool virtq_packed_can_resume(const struct virtq_setup *setup, uint16_t idx_wrap);

/**
 * Whether no device has used a ring since its driver cleared it. In such a ring no USED flag is
 * set, which a device sets in the first pass over the ring and the driver in the second, and the
 * available descriptors begin at the first one. A ring in use may look the same in two cases: its
 * device is at the first descriptor with a wrap counter of 1, which is the idx_wrap of a fresh
 * ring too, or right after a chain across the ring's end all of whose predecessors are used. In
 * these cases descriptors that are not available still have addresses, and those before the
 * device's position are the end of one chain.
 *
 * @param strictly also require that descriptors that are not available have no address
 */
bool virtq_packed_is_fresh(const struct virtq_setup *setup, bool strictly);

/**
 * Length of the available chain at an idx_wrap.
 *
 * @param id receives its buffer id
 * @return number of descriptors; 0: none is available, or the chain does not end
 */
uint32_t virtq_packed_chain_len(const struct virtq_setup *setup, uint16_t idx_wrap, uint16_t *id);

/** virtq_resume() of a packed ring, without beginning the journal anew. */
enum virtq_fault virtq_packed_resume(struct virtq_setup *setup, bool popped);

#endif
