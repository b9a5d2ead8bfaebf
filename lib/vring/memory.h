/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory as the data path sees it: our own mappings of the regions a front end shared, made
 * from duplicates of its file descriptors, so that what the control plane unmaps cannot hurt.
 *
 * Everything a guest says about addresses goes through memory_at(), or its like for eight at once,
 * scan_translate() in vring/scan.h: the whole range must lie in one region. Regions that wrap,
 * overlap, are larger than their file, or are no shared memory (a page of another file may take for
 * ever to come) are refused. Each mapping lies between pages that nobody may touch, and stays out of
 * core dumps. Memory that its front end takes away later is lost.h's.
 *
 * Thread safety: made and released by one thread at a time; polling lcores only read. The flag is
 * written by whichever thread finds memory missing, read by all.
 */
#ifndef SHUNT_VRING_MEMORY_H
#define SHUNT_VRING_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MEMORY_REGIONS_MAX = 8 }; /* as many as librte_vhost takes */

/** A piece of guest-physical address space. */
struct memory_region {
	uint64_t guest;  /**< first guest-physical address */
	uint64_t size;   /**< bytes; 0 = no region */
	uint8_t *host;   /**< where it is mapped */
	uint64_t front;  /**< first address in the front end's own address space */
	uint64_t device; /**< where the file is, as stat() says */
	uint64_t file;   /**< which one it is there */
	void *map;       /**< where the file is mapped, from its start */
	size_t map_size; /**< bytes of it */
	void *fence;     /**< the mapping and the pages around it: what to unmap */
	size_t fence_size;
	int watch; /**< number for lost_unwatch(), negative = none */
};

struct memory {
	_Alignas(64)
		atomic_bool lost; /**< some of it is gone; in a cache line that is read anyway */
	bool sealed;              /**< no file of it can be cut short */
	bool huge;                /**< all of it is in huge pages */
	unsigned n;
	struct memory_region region[MEMORY_REGIONS_MAX];
};

/** What a front end said of one region. */
struct memory_claim {
	uint64_t guest;
	uint64_t front;
	uint64_t size;
	uint64_t offset; /**< of the region in the file */
	int fd;          /**< duplicated here; the caller keeps his */
};

/** Map what was claimed. @return 0; negative errno with the reason, nothing mapped */
int memory_map(
	struct memory *memory, const struct memory_claim claims[], unsigned n, struct err *err);

void memory_unmap(struct memory *memory);

/** Is this what was claimed and mapped, all of it still there? */
bool memory_is(const struct memory *memory, const struct memory_claim claims[], unsigned n);

/** As memory_at(), for whatever region it is. */
uint8_t *memory_find(const struct memory *memory, unsigned *hint, uint64_t guest, uint32_t length);

/**
 * Translate a guest-physical range.
 *
 * @param hint region that the last one was in; updated
 * @return NULL unless the whole range lies in one region; a length of 0 is checked too
 */
static inline uint8_t *
memory_at(const struct memory *memory, unsigned *hint, uint64_t guest, uint32_t length)
{
	const struct memory_region *region = &memory->region[*hint];
	uint64_t offset = guest - region->guest;

	/* Below the region the offset wraps and is as large as can be. */
	if (__builtin_expect(offset < region->size && length <= region->size - offset, 1))
		return region->host + offset;
	return memory_find(memory, hint, guest, length);
}

/** Bytes from an address to the end of its region; 0 when there is none. */
uint64_t memory_reach(const struct memory *memory, uint64_t guest);

/** Has some of it been taken away? What was read from it lately may be zeros. */
static inline bool
memory_is_lost(const struct memory *memory)
{
	return __builtin_expect(atomic_load_explicit(&memory->lost, memory_order_relaxed), 0);
}

#endif
