/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internals shared by the files of a split ring: descriptors, available and used ring (virtio 1.2
 * section 2.7). Private to lib/vring.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_SPLIT_H
#define SHUNT_VRING_SPLIT_H

#include "base/shared.h"
#include "vring/chain.h"

/** Read an aligned descriptor that the guest may be writing; each of its bytes is read once. */
static inline struct vring_desc
virtq_split_read_desc(const struct vring_desc *table, uint16_t index)
{
	const volatile uint64_t *from = (const volatile uint64_t *)&table[index];
	uint64_t words[2] = {from[0], from[1]};
	struct vring_desc desc;

	memcpy(&desc, words, sizeof(desc));
	return desc;
}

/** Write an element of the used ring, in one store. @param position index in the ring */
static inline void
virtq_split_use(struct vring_used *used, uint16_t position, uint16_t head, uint32_t len)
{
	struct vring_used_elem element = {head, len};

	memcpy(&used->ring[position], &element, sizeof(element));
}

/** Prefetch for writing the lines of the used ring of a burst: they are in the guest's cache. */
static inline void
virtq_split_prefetch_used(const struct virtq *ring, uint16_t n)
{
	enum { LINE = 64 / sizeof(struct vring_used_elem) };

	for (uint16_t i = 0; i < n; i += LINE)
		__builtin_prefetch(&ring->used->ring[(ring->last_used + i) & ring->mask], 1);
}

/** Write the next element of the used ring; virtq_split_publish() must follow. */
static inline void
virtq_split_use_next(struct virtq *ring, uint16_t head, uint32_t len)
{
	virtq_split_use(ring->used, ring->last_used++ & ring->mask, head, len);
}

/**
 * Read whether the driver of a split ring without EVENT_IDX wants interrupts (virtio 1.2 section
 * 2.7.7).
 */
static inline void
virtq_split_read_no_interrupt(struct virtq *ring)
{
	ring->no_interrupt =
		(shared_load_relaxed(&ring->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT) != 0;
}

/** @return number of chains available to the device; 0 if the available index breaks the ring */
static inline uint16_t
virtq_split_available(struct virtq *ring)
{
	/* Acquire: pairs with the guest's store of the index, after its descriptors. */
	uint16_t idx = shared_load_acquire(&ring->avail->idx);
	uint16_t n = (uint16_t)(idx - ring->last_avail);

	/* Now, while the line is in the cache: the driver writes to it often. */
	virtq_split_read_no_interrupt(ring);
	if (__builtin_expect(n > (uint32_t)ring->mask + 1, 0)) {
		virtq_break(ring, VIRTQ_BAD_INDEX);
		return 0;
	}
	return n;
}

/** @return head descriptor at a position of the available ring, read once */
static inline uint16_t
virtq_split_head(const struct virtq *ring, uint16_t position)
{
	const volatile uint16_t *heads = ring->avail->ring;

	return heads[position & ring->mask];
}

/**
 * Collect the non-empty buffers of a chain, direct or indirect.
 *
 * @param writable all buffers must be device-writable, else device-readable
 * @return number of buffers, of a writable chain the first VIRTQ_CHAIN_MAX at most; -E2BIG: a
 *         readable chain exceeds VIRTQ_CHAIN_MAX; other negative: the ring is broken
 */
int virtq_split_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX]);

/** Publish the used index of a split ring; a notification is pending then. */
void virtq_split_publish(struct virtq *ring);

/** virtq_pop_done() of a split ring for a batch that is not empty and nothing in flight. */
void virtq_split_pop_done(struct virtq *ring, const struct virtq_batch *batch);

#endif
