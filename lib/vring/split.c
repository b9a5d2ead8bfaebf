/* SPDX-License-Identifier: BSD-3-Clause */
/* Split rings: walks descriptor chains, publishes used elements, returns popped buffers. */
#include "vring/split.h"

#include <errno.h>

#include "base/shared.h"

/** Descriptor table of a chain: the ring's, or an indirect one. */
struct split_table {
	const struct vring_desc *desc;
	uint32_t size;
	bool indirect;
};

/*
 * Enter an indirect table. WRITE has no meaning in a descriptor that refers to a table (virtio
 * 1.2 section 2.7.5.3.2).
 */
static int
split_enter_table(struct virtq *ring, const struct vring_desc *desc, struct split_table *table)
{
	if (table->indirect || (desc->flags & VRING_DESC_F_NEXT) != 0) {
		virtq_break(ring, VIRTQ_BAD_INDIRECT);
		return -EINVAL;
	}
	table->indirect = true;
	table->desc = virtq_chain_table(ring, desc->addr, desc->len, &table->size);
	return table->desc != NULL ? 0 : -EINVAL;
}

/*
 * Result of a chain that is too long. It may have as many descriptors as the ring (virtio 1.2
 * section 2.7.5.3.1). Of a writable chain the first ones suffice, since a device need not fill
 * it. A readable one is not a valid frame.
 */
static int
split_chain_too_long(bool writable, unsigned n)
{
	return writable ? (int)n : -E2BIG;
}

int
virtq_split_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX])
{
	struct split_table table = {ring->desc, (uint32_t)ring->mask + 1, false};
	uint16_t index = head;
	unsigned n = 0;

	for (uint32_t steps = 0; steps < table.size; steps++) {
		if (steps == VIRTQ_CHAIN_MAX)
			return split_chain_too_long(writable, n);
		if (index >= table.size) {
			virtq_break(ring, VIRTQ_BAD_HEAD);
			return -EINVAL;
		}
		struct vring_desc desc = virtq_chain_read_desc(table.desc, index);
		bool indirect = (desc.flags & VRING_DESC_F_INDIRECT) != 0;
		int rc = indirect ? split_enter_table(ring, &desc, &table)
				  : virtq_chain_add(ring, &desc, writable, buffers, &n);
		if (rc < 0)
			return rc == -E2BIG ? split_chain_too_long(writable, n) : rc;
		if (!indirect && (desc.flags & VRING_DESC_F_NEXT) == 0)
			return (int)n;
		/* Continue in the same table, or restart the count in the indirect one. */
		index = indirect ? 0 : desc.next;
		steps = indirect ? UINT32_MAX : steps;
	}
	virtq_break(ring, VIRTQ_BAD_CHAIN);
	return -EINVAL;
}

void
virtq_split_publish(struct virtq *ring)
{
	/* Release: the guest sees used elements and data before the index. */
	shared_store_release(&ring->used->idx, ring->last_used);
	ring->pending = true;
}

void
virtq_split_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	uint16_t last_used = ring->last_used, mask = ring->mask;

	for (uint16_t i = 0; i < batch->popped; i++)
		virtq_split_use(ring->used, last_used++ & mask, batch->chain[i], 0);
	ring->last_used = last_used;
	ring->last_avail = (uint16_t)(ring->last_avail + batch->popped);
	virtq_split_publish(ring);
}
