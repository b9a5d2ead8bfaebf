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

enum {
	VIRTQ_HEADER_LEN = 10, /**< without the last field */
	VIRTQ_CHAIN_MAX = 256, /**< descriptors of one table in a chain, and buffers of a chain */
};

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

/** Enter a chain into the used ring, in one store. */
static inline void
virtq_use(struct vring_used *used, uint16_t position, uint16_t head, uint32_t len)
{
	struct vring_used_elem element = {head, len};

	memcpy(&used->ring[position], &element, sizeof(element));
}

/** Buffers that the guest has made available and nobody has taken. @return 0 once broken */
static inline uint16_t
virtq_available(struct virtq *ring)
{
	/* Acquire: pairs with the guest's store of the index, after its descriptors. */
	uint16_t idx = __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t n = (uint16_t)(idx - ring->last_avail);

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
 * Collect the buffers of a chain, direct or indirect, that are not empty.
 *
 * @param writable buffers must be for us to write; or none may be
 * @return how many, of a chain to write to at most the first VIRTQ_CHAIN_MAX; negative: the ring is
 *         broken, or -E2BIG for a chain to read that is too long for us
 */
int virtq_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX]);

/** Publish what was entered into the used ring, and interrupt the guest if it wants that. */
void virtq_publish(struct virtq *ring);

#endif
