/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's memory: one memfd, sealed against shrinking, on huge pages when enough are free, cut
 * into one or more regions that the back end maps. Allocated from front to back, never freed singly.
 *
 * Guest-physical addresses differ from this program's own, so that a back end that mixes them up
 * fails at once.
 *
 * Thread safety: set up on one thread; translation from any.
 */
#ifndef SHUNT_VM_MEMORY_H
#define SHUNT_VM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MEMORY_REGIONS_MAX = 16, MEMORY_PAGE = 4096 };

#define MEMORY_HUGE (UINT64_C(2) << 20)
#define MEMORY_BASE UINT64_C(0x40000000) /**< guest-physical address of the first byte */

struct memory_region {
	uint64_t guest; /**< guest-physical address */
	uint64_t size;
	uint64_t user;   /**< address in this program */
	uint64_t offset; /**< in the memfd */
};

struct memory {
	int fd;
	bool huge;
	uint8_t *base;
	uint64_t size;
	uint64_t skipped; /**< bytes before the first that can be taken */
	uint64_t used;    /**< bytes allocated, after those */
	unsigned n_regions;
	struct memory_region regions[MEMORY_REGIONS_MAX];
};

/**
 * Make and map memory.
 *
 * @param size bytes needed; rounded up to whole huge pages
 * @param regions how many regions of about equal size to cut it into
 * @param sealed refuse any later shrinking; only hostile tests want it off
 */
int memory_open(
	struct memory *memory, uint64_t size, unsigned regions, bool sealed, struct err *err);

/** Unmap and close; safe on zeroed memory with fd -1. */
void memory_close(struct memory *memory);

/**
 * Leave out the first bytes, before anything is taken. What is taken is aligned as if the memory
 * began behind them.
 */
void memory_skip(struct memory *memory, uint64_t bytes);

/** Take bytes, zeroed. @return NULL when there are not enough left (a bug of the caller's sizing) */
void *memory_take(struct memory *memory, uint64_t bytes, uint64_t align);

/** Guest-physical address of something that memory_take() returned. */
static inline uint64_t
memory_guest(const struct memory *memory, const void *at)
{
	return MEMORY_BASE + (uint64_t)((const uint8_t *)at - memory->base);
}

#endif
