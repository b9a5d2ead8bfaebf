/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets up a virtqueue, and dispatches by ring format. */
#include "base/shared.h"
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

/** @return true if an address is not NULL, and is a multiple of an alignment */
static bool
virtq_aligned(const void *address, uintptr_t alignment)
{
	return address != NULL && (uintptr_t)address % alignment == 0;
}

/** virtq_valid() of a split ring. */
static bool
virtq_split_valid(const struct virtq_setup *setup)
{
	bool header =
		setup->header_len == VIRTQ_HEADER_LEN || setup->header_len == VIRTQ_HEADER_MAX;

	/* Alignment and size: virtio 1.2 section 2.7. */
	return (setup->size & (setup->size - 1)) == 0 && virtq_aligned(setup->desc, 16) &&
	       virtq_aligned(setup->avail, 2) && virtq_aligned(setup->used, 4) && header;
}

/** virtq_valid() of a packed ring. */
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
	if (setup->dirty_log != NULL)
		ring->ops = ring->ops->logged;
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
	ring->dirty_log = setup->dirty_log;
	ring->journal = setup->journal;
	ring->last_avail = setup->last_avail;
	ring->last_used = setup->last_used;
	rte_spinlock_init(&ring->lock);
	return 0;
}

void
virtq_suppress_kicks(struct virtq *ring)
{
	if (ring->packed) {
		virtq_packed_suppress_kicks(ring);
		return;
	}
	/* With EVENT_IDX drivers ignore the flag; an event index in the past has that effect. */
	shared_store_relaxed(&ring->used->flags, VRING_USED_F_NO_NOTIFY);
	dirty_log_mark(
		ring->dirty_log, ring->memory, &ring->used->flags, sizeof(ring->used->flags));
	if (ring->event_idx) {
		uint16_t *avail_event = (uint16_t *)&ring->used->ring[ring->mask + 1];
		shared_store_relaxed(avail_event, (uint16_t)(ring->last_avail - 1));
		dirty_log_mark(ring->dirty_log, ring->memory, avail_event, sizeof(*avail_event));
	}
}

const uint16_t *
virtq_monitor(const struct virtq *ring, uint16_t *value)
{
	if (ring->packed)
		return virtq_packed_monitor(ring, value);
	*value = shared_load_relaxed(&ring->avail->idx);
	return *value == ring->last_avail && !virtq_has_inflight(ring) ? &ring->avail->idx : NULL;
}

void
virtq_pop_done(struct virtq *ring, const struct virtq_batch *batch)
{
	if (virtq_has_inflight(ring))
		virtq_reclaim(ring, batch);
	else if (batch->popped > 0)
		ring->ops->pop_done(ring, batch);
}
