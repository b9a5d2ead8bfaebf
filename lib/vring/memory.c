/* SPDX-License-Identifier: BSD-3-Clause */
#include "vring/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/** @param size receives how much of the file to map */
static int
memory_check(const struct memory *memory, const struct memory_claim *claim, size_t *size,
	struct err *err)
{
	struct stat status;

	if (claim->size == 0 || claim->guest + claim->size < claim->guest ||
		claim->offset + claim->size < claim->offset)
		return err_set(err, EINVAL, "memory region at 0x%" PRIx64 " is empty or wraps",
			claim->guest);
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *other = &memory->region[i];
		if (claim->guest < other->guest + other->size &&
			other->guest < claim->guest + claim->size)
			return err_set(
				err, EINVAL, "memory regions overlap at 0x%" PRIx64, claim->guest);
	}
	if (fstat(claim->fd, &status) < 0)
		return err_set(err, errno, "memory region: %s", strerror(errno));
	/* Beyond the end of the file every access would be a SIGBUS. */
	if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < claim->offset + claim->size)
		return err_set(err, EINVAL, "memory region is larger than its file");
	size_t page = status.st_blksize > 0 ? (size_t)status.st_blksize : 1;
	if (claim->offset + claim->size > SIZE_MAX - page)
		return err_set(err, EINVAL, "memory region is too large");
	*size = (claim->offset + claim->size + page - 1) / page * page;
	return 0;
}

static int
memory_add(struct memory *memory, const struct memory_claim *claim, struct err *err)
{
	struct memory_region *region = &memory->region[memory->n];
	size_t size = 0;
	int rc = memory_check(memory, claim, &size, err);

	if (rc < 0)
		return rc;
	/* From the start of the file, and whole hugepages: munmap() takes nothing else. */
	void *map =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, claim->fd, 0);
	if (map == MAP_FAILED)
		return err_set(err, errno, "memory region cannot be mapped: %s", strerror(errno));
	madvise(map, size, MADV_DONTDUMP);
	*region = (struct memory_region){
		.guest = claim->guest,
		.size = claim->size,
		.host = (uint8_t *)map + claim->offset,
		.front = claim->front,
		.map = map,
		.map_size = size,
	};
	memory->n++;
	return 0;
}

int
memory_map(struct memory *memory, const struct memory_claim claims[], unsigned n, struct err *err)
{
	memset(memory, 0, sizeof(*memory));
	if (n > MEMORY_REGIONS_MAX)
		return err_set(
			err, EINVAL, "%u memory regions, more than %d", n, MEMORY_REGIONS_MAX);
	for (unsigned i = 0; i < n; i++) {
		int rc = memory_add(memory, &claims[i], err);
		if (rc < 0) {
			memory_unmap(memory);
			return rc;
		}
	}
	return 0;
}

void
memory_unmap(struct memory *memory)
{
	for (unsigned i = 0; i < memory->n; i++)
		munmap(memory->region[i].map, memory->region[i].map_size);
	memset(memory, 0, sizeof(*memory));
}

uint8_t *
memory_find(const struct memory *memory, unsigned *hint, uint64_t guest, uint32_t length)
{
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		uint64_t offset = guest - region->guest;
		if (offset < region->size && length <= region->size - offset) {
			*hint = i;
			return region->host + offset;
		}
	}
	return NULL;
}

uint64_t
memory_reach(const struct memory *memory, uint64_t guest)
{
	for (unsigned i = 0; i < memory->n; i++) {
		uint64_t offset = guest - memory->region[i].guest;
		if (offset < memory->region[i].size)
			return memory->region[i].size - offset;
	}
	return 0;
}
