/* SPDX-License-Identifier: BSD-3-Clause */
#include "rings.h"

#include <string.h>
#include <sys/mman.h>

#include <rte_cycles.h>

#include "base/shared.h"
#include "frame/frame.h"

enum { MEMORY = 16 << 20 };

static struct memory memory;

bool
rings_open(void)
{
	void *host = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (host == MAP_FAILED)
		return false;
	madvise(host, MEMORY, MADV_HUGEPAGE);
	memory.region[0] = (struct memory_region){.size = MEMORY, .hva = host};
	memory.n = 1;
	return true;
}

static void *
take(size_t size)
{
	static size_t taken;
	uint8_t *part = memory.region[0].hva + taken;

	taken += (size + 4095) & ~(size_t)4095;
	return part;
}

struct side *
rings_make(uint16_t flags)
{
	struct side *side = take(sizeof(*side));

	side->avail = take(sizeof(struct vring_avail) + (RINGS_SIZE + 1) * sizeof(uint16_t));
	side->used =
		take(sizeof(struct vring_used) + RINGS_SIZE * sizeof(struct vring_used_elem) + 2);
	for (unsigned i = 0; i < RINGS_SIZE; i++) {
		side->desc[i] = (struct vring_desc){
			(uint64_t)(side->buffer[i % RINGS_IN_USE] - memory.region[0].hva),
			RINGS_BUFFER, flags, 0};
		side->avail->ring[i] = (uint16_t)i;
	}
	side->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	struct virtq_setup setup = {.desc = side->desc,
		.avail = side->avail,
		.used = side->used,
		.memory = &memory,
		.size = RINGS_SIZE,
		.header_len = RINGS_HEADER,
		.mergeable = true,
		.callfd = -1,
		.journal = take(sizeof(struct virtq_journal))};
	virtq_journal_begin(&setup, false);
	return virtq_init(&side->ring, &setup) == 0 ? side : NULL;
}

void
rings_fill(struct side *side, uint32_t size, const uint8_t ethernet[FRAME_ETH_LEN])
{
	for (unsigned i = 0; i < RINGS_SIZE; i++) {
		uint8_t *buffer = side->buffer[i % RINGS_IN_USE];

		side->desc[i].len = RINGS_HEADER + size - 4; /* no FCS in memory */
		memset(buffer, 0, RINGS_BUFFER);
		memcpy(buffer + RINGS_HEADER, ethernet, FRAME_ETH_LEN);
	}
}

void
rings_offer(struct side *side)
{
	uint16_t next = (uint16_t)(side->ring.last_avail + FRAME_BURST);

	shared_store_release(&side->avail->idx, next);
}

uint64_t
rings_clock_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t from = rte_rdtsc(), took = rte_rdtsc() - from;
		least = took < least ? took : least;
	}
	return least;
}

int
rings_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}
