/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of a virtqueue share: reading a ring, walking chains, telling the guest.
 * Private to lib/vring.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_INTERNAL_H
#define SHUNT_VRING_INTERNAL_H

#include <string.h>

#include "vring/vring.h"

/** The first bytes of every buffer chain: struct virtio_net_hdr_mrg_rxbuf, virtio 1.2 5.1.6. */
struct virtq_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t buffers;
	uint32_t end; /**< not part of it: 16 bytes are loaded at once */
};

/** A buffer of a chain, translated. */
struct virtq_buffer {
	uint8_t *data;
	uint32_t len;
};

/** Where a chain of descriptors was found: what it takes to give it back. */
struct virtq_chain {
	uint16_t id;    /**< split: head descriptor; packed: buffer id */
	uint16_t descs; /**< packed: descriptors it takes in the ring */
};

enum { VIRTQ_CHAIN_MAX = 256 }; /**< descriptors of one table in a chain, and buffers of a chain */

/** Read a descriptor that the guest may be writing: 16 bytes, each once. */
static inline struct vring_desc
virtq_read(const struct vring_desc *table, uint16_t index)
{
	const volatile uint64_t *from = (const volatile uint64_t *)&table[index];
	uint64_t words[2] = {from[0], from[1]};
	struct vring_desc desc;

	memcpy(&desc, words, sizeof(desc));
	return desc;
}

/** Read a descriptor of any table, which need not be aligned, once. */
static inline struct vring_desc
virtq_read_any(const struct vring_desc *table, uint32_t index)
{
	struct vring_desc desc;

	memcpy(&desc, (const uint8_t *)table + index * sizeof(desc), sizeof(desc));
	/* The compiler, too, must not go back to where it was read from. */
	__asm__ volatile("" : "+m"(desc));
	return desc;
}

/** Enter a chain into the used ring, in one store. */
static inline void
virtq_use(struct vring_used *used, uint16_t position, uint16_t head, uint32_t len)
{
	struct vring_used_elem element = {head, len};

	memcpy(&used->ring[position], &element, sizeof(element));
}

/** Ask for the lines of the used ring that a burst will write: the guest has read them. */
static inline void
virtq_prefetch_used(const struct virtq *ring, uint16_t n)
{
	enum { LINE = 64 / sizeof(struct vring_used_elem) };

	for (uint16_t i = 0; i < n; i += LINE)
		__builtin_prefetch(&ring->used->ring[(ring->last_used + i) & ring->mask], 1);
}

/** The same where the ring goes on. */
static inline void
virtq_use_next(struct virtq *ring, uint16_t head, uint32_t len)
{
	virtq_use(ring->used, ring->last_used++ & ring->mask, head, len);
}

/** Does the driver of a split ring want interrupts now? Without EVENT_IDX, virtio 1.2 section 2.7.7. */
static inline void
virtq_look_flags(struct virtq *ring)
{
	ring->unwanted = (__atomic_load_n(&ring->avail->flags, __ATOMIC_RELAXED) &
				 VRING_AVAIL_F_NO_INTERRUPT) != 0;
}

/** Buffers that the guest has made available and nobody has taken. @return 0 once broken */
static inline uint16_t
virtq_available(struct virtq *ring)
{
	/* Acquire: pairs with the guest's store of the index, after its descriptors. */
	uint16_t idx = __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t n = (uint16_t)(idx - ring->last_avail);

	/* While its line is here; the driver writes there again and again. */
	virtq_look_flags(ring);
	if (__builtin_expect(n > (uint32_t)ring->mask + 1, 0)) {
		virtq_break(ring, VIRTQ_BAD_INDEX);
		return 0;
	}
	return n;
}

static inline uint16_t
virtq_head(const struct virtq *ring, uint16_t position)
{
	const volatile uint16_t *heads = ring->avail->ring;

	return heads[position & ring->mask];
}

/**
 * Add the buffers that a descriptor names, none when it is empty.
 *
 * @param n how many there are; updated
 * @return 0; negative: the ring is broken, or -E2BIG
 */
int virtq_collect(struct virtq *ring, const struct vring_desc *desc, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], unsigned *n);

/**
 * Find an indirect table. It stays where it is: entries are read one by one, each once.
 *
 * @param entries receives how many it has, of either kind
 * @return NULL: the ring is broken
 */
const struct vring_desc *virtq_table(
	struct virtq *ring, uint64_t addr, uint32_t len, uint32_t *entries);

/**
 * Collect the buffers of a chain, direct or indirect, that are not empty.
 *
 * @param writable buffers must be for us to write; or none may be
 * @return how many, of a chain to write to at most the first VIRTQ_CHAIN_MAX; negative: the ring is
 *         broken, or -E2BIG for a chain to read that is too long for us
 */
int virtq_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX]);

/** Let the guest see what was entered into the used ring. */
void virtq_publish(struct virtq *ring);

/** virtq_pop_done() of a split ring that gave something. */
void virtq_split_pop_done(struct virtq *ring, const struct virtq_batch *batch);

#endif
