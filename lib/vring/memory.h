/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory of the data path: mappings of the regions that a front end shared. They are separate
 * from the mappings of the control plane, so that the data path does not depend on when those are
 * unmapped.
 *
 * Every guest address is translated by memory_translate(), or eight at once by
 * split_desc_translate() in vring/split_desc.h; the whole range must lie in one region. Regions
 * that wrap, overlap, are larger than their file, or are not shared memory (a page fault of another
 * file may block without limit) are refused. Each mapping lies between guard pages and is left out
 * of core dumps. Memory that the front end truncates later is handled by vring/sigbus.h.
 *
 * Thread safety: mapped and unmapped by one thread at a time; polling lcores only read. `missing`
 * is set by any thread whose access finds no page, and read by all.
 */
#ifndef SHUNT_VRING_MEMORY_H
#define SHUNT_VRING_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MEMORY_REGIONS_MAX = 8 }; /* as in librte_vhost */

/** A contiguous range of guest-physical address space. */
struct memory_region {
	uint64_t gpa;    /**< first guest-physical address (GPA) */
	uint64_t size;   /**< bytes; 0 = no region */
	uint8_t *hva;    /**< host virtual address (HVA) of `gpa` */
	uint64_t uva;    /**< front end's user virtual address (UVA) of `gpa` */
	uint64_t device; /**< st_dev of the file */
	uint64_t file;   /**< st_ino of the file */
	void *map;       /**< mapping of the file from its start */
	size_t map_size; /**< bytes of the mapping */
	void *guard;     /**< reservation: the mapping and its guard pages */
	size_t guard_size;
	int sigbus_number; /**< argument of sigbus_unguard(), negative = none */
};

/** Guest memory of one front end. */
struct memory {
	_Alignas(64) atomic_bool missing; /**< pages are missing; on a line that is read anyway */
	bool sealed;                      /**< all files are sealed against truncation */
	bool huge;                        /**< all regions are in huge pages */
	unsigned n;
	struct memory_region region[MEMORY_REGIONS_MAX];
};

/** A region as described by the front end. */
struct memory_region_desc {
	uint64_t gpa;
	uint64_t uva;
	uint64_t size;
	uint64_t offset; /**< of the region in the file */
	int fd;          /**< only mapped; remains the caller's */
};

/**
 * Map regions. Not for polling lcores.
 *
 * @param memory uninitialised or unmapped
 * @param regions as the front end described them; untrusted
 * @param n number of regions; more than MEMORY_REGIONS_MAX are an error
 * @param err receives the reason of an error
 * @return 0; negative errno: nothing is mapped
 */
int memory_map(struct memory *memory, const struct memory_region_desc regions[], unsigned n,
	struct err *err);

/** Unmap all regions, which no thread uses any more. */
void memory_unmap(struct memory *memory);

/**
 * Compare the mapped regions with a description. Any thread while the memory is mapped.
 *
 * @param regions as for memory_map()
 * @param n number of regions
 * @return true if exactly these regions of these files are mapped and no page is missing
 */
bool memory_matches(
	const struct memory *memory, const struct memory_region_desc regions[], unsigned n);

/**
 * As memory_translate(), searching all regions.
 *
 * @param hint receives the index of the region
 * @param gpa first GPA of the range; untrusted
 * @param length bytes; untrusted
 * @return as memory_translate()
 */
uint8_t *memory_translate_slow(
	const struct memory *memory, unsigned *hint, uint64_t gpa, uint32_t length);

/**
 * Translate a guest-physical range. Any thread while the memory is mapped.
 *
 * @param hint index of the region to try first, 0 at the beginning; updated
 * @param gpa first GPA of the range; untrusted
 * @param length bytes, untrusted; 0 is checked too
 * @return HVA; NULL unless the whole range lies in one region
 */
static inline uint8_t *
memory_translate(const struct memory *memory, unsigned *hint, uint64_t gpa, uint32_t length)
{
	const struct memory_region *region = &memory->region[*hint];
	uint64_t offset = gpa - region->gpa;

	/* Below the region the offset wraps to a value beyond its size. */
	if (__builtin_expect(offset < region->size && length <= region->size - offset, 1))
		return region->hva + offset;
	return memory_translate_slow(memory, hint, gpa, length);
}

/**
 * Get the number of bytes from a guest-physical address to the end of its region. Any thread while
 * the memory is mapped.
 *
 * @param gpa GPA; untrusted
 * @return bytes; 0 outside of all regions
 */
uint64_t memory_left(const struct memory *memory, uint64_t gpa);

/**
 * Translate an HVA to its GPA. Any thread while the memory is mapped.
 *
 * @param hva address of a byte
 * @param gpa receives its GPA
 * @return false: the byte is not in a region
 */
bool memory_gpa(const struct memory *memory, const void *hva, uint64_t *gpa);

/** @return true if pages are missing; data read from this memory before may be zeros */
static inline bool
memory_is_missing(const struct memory *memory)
{
	return __builtin_expect(atomic_load_explicit(&memory->missing, memory_order_relaxed), 0);
}

#endif
