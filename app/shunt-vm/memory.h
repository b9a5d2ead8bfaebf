/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory: one memfd, sealed against shrinking, on hugepages when enough are free, divided
 * into one or more regions that the back end maps. Allocation goes from front to back; there is no
 * freeing of single allocations.
 *
 * GPAs differ from the addresses of this process, so that a back end that confuses them fails at
 * once.
 *
 * Thread safety: open, allocate and close on one thread; memory_gpa() on any.
 */
#ifndef SHUNT_VM_MEMORY_H
#define SHUNT_VM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MEMORY_REGIONS_MAX = 16, MEMORY_PAGE = 4096 };

#define MEMORY_HUGE (UINT64_C(2) << 20)
#define MEMORY_BASE UINT64_C(0x40000000) /**< GPA of the first byte */

struct memory_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;    /**< address in this process */
	uint64_t offset; /**< in the memfd */
};

struct memory {
	int fd;
	bool huge;
	uint8_t *base;
	uint64_t size;
	uint64_t skipped; /**< bytes at the start that are not allocated */
	uint64_t used;    /**< bytes allocated after them */
	unsigned n_regions;
	struct memory_region regions[MEMORY_REGIONS_MAX];
};

/**
 * Create and map memory.
 *
 * @param size in bytes; rounded up to whole hugepages
 * @param regions number of regions of about equal size
 * @param sealed the memfd cannot shrink; false in hostile tests only
 */
int memory_open(
	struct memory *memory, uint64_t size, unsigned regions, bool sealed, struct err *err);

/** Unmap and close; safe on zeroed memory with fd -1. */
void memory_close(struct memory *memory);

/**
 * Exclude the first bytes; to be called before the first allocation. Alignment is relative to the
 * first byte after them.
 */
void memory_skip(struct memory *memory, uint64_t bytes);

/** Allocate zeroed bytes. @return NULL when memory is exhausted (the caller sized it too small) */
void *memory_take(struct memory *memory, uint64_t bytes, uint64_t align);

/** @return GPA of an address within the result of memory_take() */
static inline uint64_t
memory_gpa(const struct memory *memory, const void *at)
{
	return MEMORY_BASE + (uint64_t)((const uint8_t *)at - memory->base);
}

#endif
