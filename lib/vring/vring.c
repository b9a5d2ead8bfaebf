/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring setup, chains and used index of split rings, and dispatch by ring format. */
#include "vring/packed.h"

#include <errno.h>
#include <string.h>

extern const struct virtq_ops virtq_ops_plain, virtq_ops_avx2, virtq_ops_avx512;

const struct virtq_ops *
virtq_ops_at(unsigned i)
{
	__builtin_cpu_init();
	bool bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
	bool avx2 = bmi && __builtin_cpu_supports("avx2");
	bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
		      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
		      __builtin_cpu_supports("avx512dq");
	if (avx512 && i-- == 0)
		return &virtq_ops_avx512;
	if (avx2 && i-- == 0)
		return &virtq_ops_avx2;
	return i == 0 ? &virtq_ops_plain : NULL;
}

static bool
virtq_aligned(const void *address, uintptr_t alignment)
{
	return address != NULL && (uintptr_t)address % alignment == 0;
}

/* The setup comes from a front end and may hold any values. */
static bool
virtq_split_valid(const struct virtq_setup *setup)
{
	bool header =
		setup->header_len == VIRTQ_HEADER_LEN || setup->header_len == VIRTQ_HEADER_MAX;

	/* Alignment and size: virtio 1.2 section 2.7. */
	return (setup->size & (setup->size - 1)) == 0 && virtq_aligned(setup->desc, 16) &&
	       virtq_aligned(setup->avail, 2) && virtq_aligned(setup->used, 4) && header;
}

static bool
virtq_packed_valid(const struct virtq_setup *setup)
{
	/* Virtio 1.2 section 2.8.10.1. Packed rings require VERSION_1, hence the long header. */
	return virtq_aligned(setup->packed_desc, 16) && virtq_aligned(setup->driver_event, 4) &&
	       virtq_aligned(setup->device_event, 4) && setup->header_len == VIRTQ_HEADER_MAX &&
	       virtq_packed_index(setup->last_avail) < setup->size &&
	       virtq_packed_index(setup->last_used) < setup->size;
}

bool
virtq_valid(const struct virtq_setup *setup)
{
	return setup->size > 0 && setup->size <= VIRTQ_SIZE_MAX &&
	       (setup->packed ? virtq_packed_valid(setup) : virtq_split_valid(setup));
}

int
virtq_init(struct virtq *ring, const struct virtq_setup *setup)
{
	const struct virtq_ops *ops = setup->ops != NULL ? setup->ops : virtq_ops_at(0);

	if (!virtq_valid(setup))
		return -EINVAL;
	memset(ring, 0, sizeof(*ring));
	ring->ops = setup->packed ? ops->packed : ops;
	ring->desc = setup->desc;
	ring->avail = setup->avail;
	ring->used = setup->used;
	ring->memory = setup->memory;
	ring->mask = (uint16_t)(setup->size - 1);
	ring->header_len = setup->header_len;
	ring->packed = setup->packed;
	ring->event_idx = setup->event_idx;
	ring->mergeable = setup->mergeable;
	ring->offloads = setup->offloads;
	ring->callfd = setup->callfd;
	ring->call_socket = setup->call_socket;
	ring->inflight = setup->inflight;
	ring->journal = setup->journal;
	ring->last_avail = setup->last_avail;
	ring->last_used = setup->last_used;
	rte_spinlock_init(&ring->lock);
	return 0;
}

const char *
virtq_fault_text(enum virtq_fault fault)
{
	static const char *const texts[] = {
#define VIRTQ_FAULT_TEXT(constant, text) [constant] = text,
		VIRTQ_FAULTS(VIRTQ_FAULT_TEXT)
#undef VIRTQ_FAULT_TEXT
	};

	return texts[fault];
}

void
virtq_suppress_kicks(struct virtq *ring)
{
	if (ring->packed) {
		virtq_packed_suppress_kicks(ring);
		return;
	}
	/* With EVENT_IDX drivers ignore the flag; an event index in the past has that effect. */
	__atomic_store_n(&ring->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
	if (ring->event_idx) {
		uint16_t *avail_event = (uint16_t *)&ring->used->ring[ring->mask + 1];
		__atomic_store_n(avail_event, (uint16_t)(ring->last_avail - 1), __ATOMIC_RELAXED);
	}
}

/** Descriptor table of a chain: the ring's, or an indirect one. */
struct virtq_table {
	const struct vring_desc *desc;
	uint32_t size;
	bool indirect;
};

const struct vring_desc *
virtq_table(struct virtq *ring, uint64_t addr, uint32_t len, uint32_t *entries)
{
	*entries = len / sizeof(struct vring_desc);
	if (*entries == 0 || len % sizeof(struct vring_desc) != 0 ||
		*entries > (uint32_t)ring->mask + 1) {
		virtq_break(ring, VIRTQ_BAD_INDIRECT);
		return NULL;
	}
	const void *table = memory_at(ring->memory, &ring->hint, addr, len);
	if (table == NULL)
		virtq_break(ring, VIRTQ_BAD_ADDRESS);
	return table;
}

/* WRITE has no meaning in a descriptor that refers to a table (virtio 1.2 section 2.7.5.3.2). */
static int
virtq_enter_indirect(struct virtq *ring, const struct vring_desc *desc, struct virtq_table *table)
{
	if (table->indirect || (desc->flags & VRING_DESC_F_NEXT) != 0) {
		virtq_break(ring, VIRTQ_BAD_INDIRECT);
		return -EINVAL;
	}
	table->indirect = true;
	table->desc = virtq_table(ring, desc->addr, desc->len, &table->size);
	return table->desc != NULL ? 0 : -EINVAL;
}

int
virtq_collect(struct virtq *ring, const struct vring_desc *desc, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX], unsigned *n)
{
	uint64_t reach;
	uint64_t addr = desc->addr;
	uint32_t len = desc->len;

	if (((desc->flags & VRING_DESC_F_WRITE) != 0) != writable) {
		virtq_break(ring, VIRTQ_BAD_DIRECTION);
		return -EINVAL;
	}
	/* A buffer may span neighbouring regions; it is split at their boundary. */
	do {
		reach = memory_left(ring->memory, addr);
		if (reach == 0) {
			virtq_break(ring, VIRTQ_BAD_ADDRESS);
			return -EINVAL;
		}
		uint32_t part = reach < len ? (uint32_t)reach : len;
		if (part > 0 && *n == VIRTQ_CHAIN_MAX)
			return -E2BIG;
		if (part > 0)
			buffers[(*n)++] = (struct virtq_buffer){
				memory_at(ring->memory, &ring->hint, addr, part), part};
		addr += part;
		len -= part;
	} while (len > 0);
	return 0;
}

/*
 * A chain may have as many descriptors as the ring (virtio 1.2 section 2.7.5.3.1). Of a writable
 * chain the first ones suffice, since a device need not fill it. A readable one is not a valid
 * frame.
 */
static int
virtq_chain_long(bool writable, unsigned n)
{
	return writable ? (int)n : -E2BIG;
}

int
virtq_walk(struct virtq *ring, uint16_t head, bool writable,
	struct virtq_buffer buffers[VIRTQ_CHAIN_MAX])
{
	struct virtq_table table = {ring->desc, (uint32_t)ring->mask + 1, false};
	uint16_t index = head;
	unsigned n = 0;

	for (uint32_t steps = 0; steps < table.size; steps++) {
		if (steps == VIRTQ_CHAIN_MAX)
			return virtq_chain_long(writable, n);
		if (index >= table.size) {
			virtq_break(ring, VIRTQ_BAD_HEAD);
			return -EINVAL;
		}
		struct vring_desc desc = virtq_read_any(table.desc, index);
		bool indirect = (desc.flags & VRING_DESC_F_INDIRECT) != 0;
		int rc = indirect ? virtq_enter_indirect(ring, &desc, &table)
				  : virtq_collect(ring, &desc, writable, buffers, &n);
		if (rc < 0)
			return rc == -E2BIG ? virtq_chain_long(writable, n) : rc;
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
virtq_publish(struct virtq *ring)
{
	/* Release: the guest sees used elements and data before the index. */
	__atomic_store_n(&ring->used->idx, ring->last_used, __ATOMIC_RELEASE);
	ring->pending = true;
}

const uint16_t *
virtq_monitor(const struct virtq *ring, uint16_t *value)
{
	if (ring->packed)
		return virtq_packed_monitor(ring, value);
	*value = __atomic_load_n(&ring->avail->idx, __ATOMIC_RELAXED);
	return *value == ring->last_avail && !virtq_waits(ring) ? &ring->avail->idx : NULL;
}

void
virtq_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	if (virtq_waits(ring))
		virtq_reclaim(ring, batch);
	else if (batch->taken > 0)
		ring->ops->pop_done(ring, batch);
}

void
virtq_split_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	uint16_t last_used = ring->last_used, mask = ring->mask;

	for (uint16_t i = 0; i < batch->taken; i++)
		virtq_use(ring->used, last_used++ & mask, batch->chain[i], 0);
	ring->last_used = last_used;
	ring->last_avail = (uint16_t)(ring->last_avail + batch->taken);
	virtq_publish(ring);
}
