/* SPDX-License-Identifier: BSD-3-Clause */
#include "vring/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "vring/lost.h"

enum { MEMORY_PAGE = 4096 };

enum { MEMORY_HUGE = 2 << 20 }; /* bytes of the smallest huge page */

/** How the pages of a file are to be mapped. @return 0 when it cannot be guest memory */
static size_t
memory_page(int fd, const struct stat *status)
{
	size_t page = (size_t)status->st_blksize;
	struct statfs system;

	if (!S_ISREG(status->st_mode) || fstatfs(fd, &system) < 0)
		return 0;
	if (system.f_type != TMPFS_MAGIC && system.f_type != HUGETLBFS_MAGIC)
		return 0;
	return page < MEMORY_PAGE || (page & (page - 1)) != 0 ? MEMORY_PAGE : page;
}

/** What a front end says of a region, beside the others. */
static int
memory_check_claim(const struct memory *memory, const struct memory_claim *claim, struct err *err)
{
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
	return 0;
}

/** What its file is. @param page receives its page size */
static int
memory_check_file(
	const struct memory_claim *claim, struct stat *status, size_t *page, struct err *err)
{
	if (fstat(claim->fd, status) < 0)
		return err_set(err, errno, "memory region: %s", strerror(errno));
	*page = memory_page(claim->fd, status);
	if (*page == 0)
		return err_set(err, EINVAL, "memory region is not shared memory");
	/* Beyond the end of the file every access would be a SIGBUS. */
	if ((uint64_t)status->st_size < claim->offset + claim->size)
		return err_set(err, EINVAL, "memory region is larger than its file");
	if (claim->offset + claim->size > SIZE_MAX - 4 * *page)
		return err_set(err, EINVAL, "memory region is too large");
	return 0;
}

/** Map the file between pages that nobody may touch. */
static int
memory_fence(struct memory_region *region, int fd, size_t page)
{
	region->fence_size = region->map_size + 3 * page;
	region->fence = mmap(NULL, region->fence_size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region->fence == MAP_FAILED)
		return -errno;
	uintptr_t at = ((uintptr_t)region->fence + 2 * page - 1) / page * page;
	region->map = mmap((void *)at, region->map_size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (region->map == MAP_FAILED) {
		int rc = -errno;
		munmap(region->fence, region->fence_size);
		return rc;
	}
	madvise(region->map, region->map_size, MADV_DONTDUMP);
	return 0;
}

static int
memory_add(struct memory *memory, const struct memory_claim *claim, struct err *err)
{
	struct memory_region *region = &memory->region[memory->n];
	struct stat status;
	size_t page = 0;
	int rc = memory_check_claim(memory, claim, err);

	if (rc == 0)
		rc = memory_check_file(claim, &status, &page, err);
	if (rc < 0)
		return rc;
	/* From the start of the file, and whole hugepages: munmap() takes nothing else. */
	*region = (struct memory_region){
		.guest = claim->guest,
		.size = claim->size,
		.front = claim->front,
		.device = status.st_dev,
		.file = status.st_ino,
		.map_size = (claim->offset + claim->size + page - 1) / page * page,
	};
	rc = memory_fence(region, claim->fd, page);
	if (rc < 0)
		return err_set(err, -rc, "memory region cannot be mapped: %s", strerror(-rc));
	region->host = (uint8_t *)region->map + claim->offset;
	region->watch = lost_watch(region->map, region->map_size, &memory->lost);
	memory->n++;
	if (region->watch < 0)
		return err_set(err, ENOSPC, "too many memory regions of all front ends");
	int seals = fcntl(claim->fd, F_GET_SEALS);
	memory->huge &= page >= MEMORY_HUGE;
	memory->sealed &= seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
	return 0;
}

int
memory_map(struct memory *memory, const struct memory_claim claims[], unsigned n, struct err *err)
{
	memset(memory, 0, sizeof(*memory));
	memory->sealed = true;
	memory->huge = true;
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
	for (unsigned i = 0; i < memory->n; i++) {
		lost_unwatch(memory->region[i].watch);
		munmap(memory->region[i].fence, memory->region[i].fence_size);
	}
	memset(memory, 0, sizeof(*memory));
}

/** @return the region that an address is in, NULL = none; no two overlap */
static const struct memory_region *
memory_search(const struct memory *memory, uint64_t guest)
{
	for (unsigned i = 0; i < memory->n; i++)
		if (guest - memory->region[i].guest < memory->region[i].size)
			return &memory->region[i];
	return NULL;
}

static bool
memory_region_is(const struct memory_region *region, const struct memory_claim *claim)
{
	struct err err = {0};
	struct stat status;
	size_t page;

	/* The mapping keeps the file, so that no other one has its number. */
	return region->guest == claim->guest && region->size == claim->size &&
	       region->front == claim->front &&
	       region->host == (uint8_t *)region->map + claim->offset &&
	       memory_check_file(claim, &status, &page, &err) == 0 &&
	       region->device == status.st_dev && region->file == status.st_ino;
}

bool
memory_is(const struct memory *memory, const struct memory_claim claims[], unsigned n)
{
	bool same = memory->n == n && !memory_is_lost(memory);

	for (unsigned i = 0; same && i < n; i++)
		same = memory_region_is(&memory->region[i], &claims[i]);
	return same;
}

uint8_t *
memory_find(const struct memory *memory, unsigned *hint, uint64_t guest, uint32_t length)
{
	const struct memory_region *region = memory_search(memory, guest);

	if (region == NULL || length > region->size - (guest - region->guest))
		return NULL;
	*hint = (unsigned)(region - memory->region);
	return region->host + (guest - region->guest);
}

uint64_t
memory_reach(const struct memory *memory, uint64_t guest)
{
	const struct memory_region *region = memory_search(memory, guest);

	return region != NULL ? region->size - (guest - region->guest) : 0;
}
