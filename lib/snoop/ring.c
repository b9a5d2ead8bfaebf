/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes messages from a polling lcore to the control thread in a ring. */
#include "snoop/ring.h"

#include <stdlib.h>
#include <string.h>

struct snoop_ring *
snoop_ring_create(void)
{
	struct snoop_ring *ring = NULL;

	if (posix_memalign((void **)&ring, _Alignof(struct snoop_ring), sizeof(*ring)) != 0)
		return NULL;
	memset(ring, 0, sizeof(*ring));
	return ring;
}

void
snoop_ring_destroy(struct snoop_ring *ring)
{
	free(ring);
}

struct snoop_copy *
snoop_ring_space(struct snoop_ring *ring, uint16_t port)
{
	struct snoop_share *share = &ring->share[port];
	uint32_t head = spsc_head(&ring->spsc), tail = spsc_tail(&ring->spsc);

	if (share->since != tail)
		*share = (struct snoop_share){.since = tail};
	if (head - tail == SNOOP_RING_SLOTS || share->taken == SNOOP_RING_SHARE) {
		spsc_lose(&ring->spsc);
		return NULL;
	}
	share->taken++;
	return &ring->slot[head % SNOOP_RING_SLOTS];
}

void
snoop_ring_push(struct snoop_ring *ring)
{
	spsc_push(&ring->spsc);
}

const struct snoop_copy *
snoop_ring_front(struct snoop_ring *ring)
{
	uint32_t tail;

	return spsc_front(&ring->spsc, &tail) ? &ring->slot[tail % SNOOP_RING_SLOTS] : NULL;
}

void
snoop_ring_pop(struct snoop_ring *ring)
{
	spsc_pop(&ring->spsc);
}
