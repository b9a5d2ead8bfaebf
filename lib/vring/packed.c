/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed rings: walking chains, publishing used descriptors, event suppression. */
#include "vring/packed.h"

#include <errno.h>
#include <string.h>

#include "base/shared.h"

/*
 * Append the buffers of an indirect table. WRITE is the only flag that has a meaning in the
 * entries of an indirect table; in the descriptor that refers to the table it is ignored.
 * Entries are consecutive, without NEXT (virtio 1.2 section 2.8.7).
 */
static int
packed_chain_add_table(struct virtq *ring, const struct virtq_packed_desc *desc, bool writable,
	struct virtq_buffer buffers[], unsigned *n)
{
	uint32_t entries;
	const struct vring_desc *table = virtq_chain_table(ring, desc->addr, desc->len, &entries);
	int rc = table != NULL ? 0 : -EINVAL;

	for (uint32_t i = 0; rc == 0 && i < entries; i++) {
		/* The flags of a packed descriptor are at the offset of a split one's `next`. */
		struct vring_desc one = virtq_chain_read_desc(table, i);
		one.flags = one.next;
		rc = virtq_chain_add(ring, &one, writable, buffers, n);
	}
	return rc;
}

/** Append the buffers of a ring descriptor. @param alone it is the only one of its chain */
static int
packed_chain_add(struct virtq *ring, const struct virtq_packed_desc *desc, bool alone,
	bool writable, struct virtq_buffer buffers[], unsigned *n)
{
	const struct vring_desc one = {desc->addr, desc->len, desc->flags, 0};

	if ((desc->flags & VRING_DESC_F_INDIRECT) == 0)
		return virtq_chain_add(ring, &one, writable, buffers, n);
	/* INDIRECT must not be combined with NEXT (virtio 1.2 sections 2.8.5 and 2.8.19). */
	if (!alone) {
		virtq_break(ring, VIRTQ_BAD_INDIRECT);
		return -EINVAL;
	}
	return packed_chain_add_table(ring, desc, writable, buffers, n);
}

int
virtq_packed_walk(struct virtq *ring, uint16_t idx_wrap, uint32_t most, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], struct virtq_chain *chain)
{
	uint16_t position = virtq_packed_index(idx_wrap);
	unsigned n = 0;
	int rc = 0;

	for (uint32_t steps = 0; steps < most; steps++) {
		struct virtq_packed_desc desc = virtq_packed_read_desc(ring, position);
		bool last = (desc.flags & VRING_DESC_F_NEXT) == 0;
		if (steps == 0 &&
			(desc.flags & VIRTQ_PACKED_OWNER) != virtq_packed_avail_flags(idx_wrap))
			return -EAGAIN;
		/* For a chain that is too long only its end is still needed, to return it. */
		if (steps == VIRTQ_CHAIN_MAX)
			rc = -E2BIG;
		if (rc == 0)
			rc = packed_chain_add(
				ring, &desc, steps == 0 && last, writable, buffers, &n);
		if (rc < 0 && rc != -E2BIG)
			return rc;
		if (last) {
			*chain = (struct virtq_chain){desc.id, (uint16_t)(steps + 1)};
			return rc < 0 && !writable ? rc : (int)n;
		}
		position = position == ring->mask ? 0 : (uint16_t)(position + 1);
	}
	virtq_break(ring, VIRTQ_BAD_CHAIN);
	return -EINVAL;
}

bool
virtq_packed_wants_interrupt(const struct virtq *ring)
{
	struct virtq_packed_event event;
	uint16_t old = ring->signalled;

	event.word = shared_load_relaxed(&ring->driver_event->word);
	if (event.flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (event.flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx ||
		!ring->signalled_valid)
		return true;
	uint32_t size = (uint32_t)ring->mask + 1;
	return virtq_packed_distance(size, old, event.off_wrap) <
	       virtq_packed_distance(size, old, ring->last_used);
}

void
virtq_packed_journal_chains(
	struct virtq *ring, const struct virtq_journal_chain chains[], unsigned n)
{
	struct virtq_journal *journal = ring->journal;

	journal->listed = 0;
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(journal->chain, chains, n * sizeof(*chains));
	journal->listed_from = ring->last_used;
	shared_store_release(&journal->listed, (uint16_t)n);
}

void
virtq_packed_publish(struct virtq *ring)
{
	struct virtq_journal *journal = ring->journal;

	if (journal != NULL)
		journal->burst_end = ring->last_used;
	/* Release: the guest sees the other descriptors and the data before the first one. */
	shared_store_release(&ring->first_used->word, ring->first_used_word);
	ring->first_used = NULL;
	if (journal != NULL) {
		shared_store_release(&journal->used, ring->last_used);
		if (journal->listed != 0)
			shared_store_release(&journal->listed, 0);
	}
	ring->pending = true;
}

void
virtq_packed_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	for (uint16_t i = 0; i < batch->popped; i++) {
		struct virtq_chain chain = {batch->chain[i], batch->descs[i]};
		virtq_packed_use(ring, chain, 0, 0);
		ring->last_avail = virtq_packed_advance(ring, ring->last_avail, chain.descs);
	}
	virtq_packed_publish(ring);
}

const uint16_t *
virtq_packed_monitor(const struct virtq *ring, uint16_t *value)
{
	uint16_t idx_wrap = ring->last_avail;
	const uint16_t *flags = &ring->packed_desc[virtq_packed_index(idx_wrap)].flags;

	*value = shared_load_relaxed(flags);
	return (*value & VIRTQ_PACKED_OWNER) == virtq_packed_avail_flags(idx_wrap) ? NULL : flags;
}

void
virtq_packed_suppress_kicks(struct virtq *ring)
{
	const struct virtq_packed_event none = {.flags = VRING_PACKED_EVENT_FLAG_DISABLE};

	shared_store_relaxed(&ring->device_event->word, none.word);
	dirty_log_mark(ring->dirty_log, ring->memory, ring->device_event, sizeof(none));
}
