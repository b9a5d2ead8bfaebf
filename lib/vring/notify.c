/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts to the drivers of split and packed rings, with event suppression. */
#include "base/shared.h"
#include "vring/call.h"
#include "vring/packed.h"
#include "vring/split.h"

/** @return true if a split ring's driver wants an interrupt (virtio 1.2 sections 2.7.7, 2.7.10) */
static bool
notify_split_wants_interrupt(const struct virtq *ring)
{
	if (!ring->event_idx)
		return !ring->no_interrupt;
	const uint16_t *used_event = &ring->avail->ring[ring->mask + 1];
	uint16_t event = shared_load_relaxed(used_event);

	return !ring->signalled_valid || (uint16_t)(ring->last_used - event - 1) <
						 (uint16_t)(ring->last_used - ring->signalled);
}

/** Send an interrupt if the driver wants one. @return true if it does */
static bool
notify_ring(struct virtq *ring)
{
	if (!(ring->packed ? virtq_packed_wants_interrupt(ring)
			   : notify_split_wants_interrupt(ring)))
		return false;
	ring->signalled = ring->last_used;
	ring->signalled_valid = true;
	if (ring->callfd >= 0 && call_send(ring->callfd, ring->call_socket))
		atomic_fetch_add_explicit(&ring->calls, 1, memory_order_relaxed);
	return true;
}

unsigned
virtq_notify_unfenced(struct virtq *rings[], unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (rings[i]->pending && !notify_ring(rings[i]))
			rings[left++] = rings[i];
		else
			rings[i]->pending = false;
	}
	return left;
}

void
virtq_notify(struct virtq *const rings[], unsigned n)
{
	/* Full fence: the used indexes are stored before event suppression is read. */
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < n; i++) {
		if (!rings[i]->packed)
			virtq_split_read_no_interrupt(rings[i]);
		if (rings[i]->pending && !notify_ring(rings[i])) {
			rings[i]->signalled = rings[i]->last_used;
			rings[i]->signalled_valid = true;
		}
		rings[i]->pending = false;
	}
}
