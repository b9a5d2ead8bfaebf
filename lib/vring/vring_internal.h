/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internals shared by the files of a virtqueue: reading a split ring, walking chains, publishing
 * used descriptors. Private to lib/vring.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_INTERNAL_H
#define SHUNT_VRING_INTERNAL_H

#include <string.h>

#include "vring/vring.h"

/** Header at the start of every buffer chain: struct virtio_net_hdr, virtio 1.2 section 5.1.6. */
struct virtq_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t buffers;
	uint32_t end; /**< padding: 16 bytes are loaded at once */
};

/** A buffer of a chain, translated to HVA. */
struct virtq_buffer {
	uint8_t *data;
	uint32_t len;
};

/** Identity of a descriptor chain, needed to use it. */
struct virtq_chain {
	uint16_t id;    /**< split: head descriptor; packed: buffer id */
	uint16_t descs; /**< packed: number of its descriptors in the ring */
};

enum { VIRTQ_CHAIN_MAX = 256 }; /**< descriptors of a chain in one table; buffers of a chain */

/** Read an aligned descriptor that the guest may be writing; each of its bytes is read once. */
static inline struct vring_desc
virtq_read(const struct vring_desc *table, uint16_t index)
{
	const volatile uint64_t *from = (const volatile uint64_t *)&table[index];
	uint64_t words[2] = {from[0], from[1]};
	struct vring_desc desc;

	memcpy(&desc, words, sizeof(desc));
	return desc;
}

/** Read a descriptor of any table, once. An indirect table need not be aligned. */
static inline struct vring_desc
virtq_read_any(const struct vring_desc *table, uint32_t index)
{
	struct vring_desc desc;

	memcpy(&desc, (const uint8_t *)table + index * sizeof(desc), sizeof(desc));
	/* Keep the compiler from reading guest memory again. */
	__asm__ volatile("" : "+m"(desc));
	return desc;
}

/** Write an element of the used ring in one store. */
static inline void
virtq_use(struct vring_used *used, uint16_t position, uint16_t head, uint32_t len)
{
	struct vring_used_elem element = {head, len};

	memcpy(&used->ring[position], &element, sizeof(element));
}

/** Prefetch for writing the lines of the used ring of a burst: they are in the guest's cache. */
static inline void
virtq_prefetch_used(const struct virtq *ring, uint16_t n)
{
	enum { LINE = 64 / sizeof(struct vring_used_elem) };

	for (uint16_t i = 0; i < n; i += LINE)
		__builtin_prefetch(&ring->used->ring[(ring->last_used + i) & ring->mask], 1);
}

/** Write the next element of the used ring. */
static inline void
virtq_use_next(struct virtq *ring, uint16_t head, uint32_t len)
{
	virtq_use(ring->used, ring->last_used++ & ring->mask, head, len);
}

/**
 * Read whether the driver of a split ring without EVENT_IDX wants interrupts (virtio 1.2 section
 * 2.7.7).
 */
static inline void
virtq_look_flags(struct virtq *ring)
{
	ring->unwanted = (__atomic_load_n(&ring->avail->flags, __ATOMIC_RELAXED) &
				 VRING_AVAIL_F_NO_INTERRUPT) != 0;
}

/** @return number of available buffers that have not been taken; 0 if the index breaks the ring */
static inline uint16_t
virtq_available(struct virtq *ring)
{
	/* Acquire: pairs with the guest's store of the index, after its descriptors. */
	uint16_t idx = __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t n = (uint16_t)(idx - ring->last_avail);

	/* Now, while the line is in the cache: the driver writes to it often. */
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
 * Append the buffers of a descriptor: none if its length is 0, several across neighbouring regions.
 *
 * @param writable direction that the descriptor must have
 * @param n number of buffers; updated
 * @return 0; -E2BIG: more than VIRTQ_CHAIN_MAX buffers; other negative: the ring is broken
 */
int virtq_collect(struct virtq *ring, const struct vring_desc *desc, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], unsigned *n);

/**
 * Check and translate an indirect table. It is not copied: each entry is to be read once.
 *
 * @param len bytes
 * @param entries receives the number of entries, 16 bytes each for split and packed rings
 * @return the table in guest memory; NULL: the ring is broken
 */
const struct vring_desc *virtq_table(
	struct virtq *ring, uint64_t addr, uint32_t len, uint32_t *entries);

/**
 * Collect the non-empty buffers of a chain, direct or indirect.
 *
 * @param writable all buffers must be device-writable, else device-readable
 * @return number of buffers, of a writable chain the first VIRTQ_CHAIN_MAX at most; -E2BIG: a
 *         readable chain exceeds VIRTQ_CHAIN_MAX; other negative: the ring is broken
 */
int virtq_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX]);

/** Publish the used index of a split ring; a notification is pending then. */
void virtq_publish(struct virtq *ring);

/** virtq_pop_done() of a split ring for a batch that is not empty and nothing in flight. */
void virtq_split_pop_done(struct virtq *ring, const struct virtq_batch *batch);

#endif
