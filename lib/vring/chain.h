/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers of a descriptor chain, of split and packed rings. Private to lib/vring.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_CHAIN_H
#define SHUNT_VRING_CHAIN_H

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

/** Read a descriptor of any table, once. An indirect table need not be aligned. */
static inline struct vring_desc
virtq_chain_read_desc(const struct vring_desc *table, uint32_t index)
{
	struct vring_desc desc;

	memcpy(&desc, (const uint8_t *)table + index * sizeof(desc), sizeof(desc));
	/* Keep the compiler from reading guest memory again. */
	__asm__ volatile("" : "+m"(desc));
	return desc;
}

/**
 * Append the buffers of a descriptor: none if its length is 0, several across neighbouring regions.
 *
 * @param writable direction that the descriptor must have
 * @param n number of buffers; updated
 * @return 0; -E2BIG: more than VIRTQ_CHAIN_MAX buffers; other negative: the ring is broken
 */
int virtq_chain_add(struct virtq *ring, const struct vring_desc *desc, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], unsigned *n);

/**
 * Check and translate an indirect table. It is not copied: each entry is to be read once.
 *
 * @param len bytes
 * @param entries receives the number of entries, 16 bytes each for split and packed rings
 * @return the table in guest memory; NULL: the ring is broken
 */
const struct vring_desc *virtq_chain_table(
	struct virtq *ring, uint64_t addr, uint32_t len, uint32_t *entries);

#endif
