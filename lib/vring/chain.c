/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers of a descriptor chain: translates addresses, checks indirect tables. */
#include "vring/chain.h"

#include <errno.h>

const struct vring_desc *
virtq_chain_table(struct virtq *ring, uint64_t addr, uint32_t len, uint32_t *entries)
{
	*entries = len / sizeof(struct vring_desc);
	if (*entries == 0 || len % sizeof(struct vring_desc) != 0 ||
		*entries > (uint32_t)ring->mask + 1) {
		virtq_break(ring, VIRTQ_BAD_INDIRECT);
		return NULL;
	}
	const void *table = memory_translate(ring->memory, &ring->hint, addr, len);
	if (table == NULL)
		virtq_break(ring, VIRTQ_BAD_ADDRESS);
	return table;
}

int
virtq_chain_add(struct virtq *ring, const struct vring_desc *desc, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], unsigned *n)
{
	uint64_t left;
	uint64_t addr = desc->addr;
	uint32_t len = desc->len;

	if (((desc->flags & VRING_DESC_F_WRITE) != 0) != writable) {
		virtq_break(ring, VIRTQ_BAD_DIRECTION);
		return -EINVAL;
	}
	/* A buffer may span neighbouring regions; it is split at their boundary. */
	do {
		left = memory_left(ring->memory, addr);
		if (left == 0) {
			virtq_break(ring, VIRTQ_BAD_ADDRESS);
			return -EINVAL;
		}
		uint32_t part = left < len ? (uint32_t)left : len;
		if (part > 0 && *n == VIRTQ_CHAIN_MAX)
			return -E2BIG;
		if (part > 0)
			buffers[(*n)++] = (struct virtq_buffer){
				memory_translate(ring->memory, &ring->hint, addr, part), part};
		addr += part;
		len -= part;
	} while (len > 0);
	return 0;
}
