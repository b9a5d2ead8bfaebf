/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks and maps guest memory regions, and translates guest-physical addresses. */
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

#include "vring/sigbus.h"

enum { MEMORY_PAGE = 4096 };

enum { MEMORY_HUGE = 2 << 20 }; /* bytes of the smallest huge page */

/** @return page size of a file, bytes; 0 if it is not tmpfs or hugetlbfs */
static size_t
memory_page_size(int fd, const struct stat *status)
{
	size_t page = (size_t)status->st_blksize;
	struct statfs system;

	if (!S_ISREG(status->st_mode) || fstatfs(fd, &system) < 0)
		return 0;
	if (system.f_type != TMPFS_MAGIC && system.f_type != HUGETLBFS_MAGIC)
		return 0;
	return page < MEMORY_PAGE || (page & (page - 1)) != 0 ? MEMORY_PAGE : page;
}

/** Check a region descriptor against itself and the regions mapped so far. */
static int
memory_check_region(
	const struct memory *memory, const struct memory_region_desc *desc, struct err *err)
{
	if (desc->size == 0 || desc->gpa + desc->size < desc->gpa ||
		desc->offset + desc->size < desc->offset)
		return err_set(
			err, EINVAL, "memory region at 0x%" PRIx64 " is empty or wraps", desc->gpa);
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *other = &memory->region[i];
		if (desc->gpa < other->gpa + other->size && other->gpa < desc->gpa + desc->size)
			return err_set(
				err, EINVAL, "memory regions overlap at 0x%" PRIx64, desc->gpa);
	}
	return 0;
}

/** Check the file of a region. @param page receives its page size, bytes */
static int
memory_check_file(
	const struct memory_region_desc *desc, struct stat *status, size_t *page, struct err *err)
{
	if (fstat(desc->fd, status) < 0)
		return err_set(err, errno, "memory region: %s", strerror(errno));
	*page = memory_page_size(desc->fd, status);
	if (*page == 0)
		return err_set(err, EINVAL, "memory region is not shared memory");
	/* An access beyond the end of the file would raise SIGBUS. */
	if ((uint64_t)status->st_size < desc->offset + desc->size)
		return err_set(err, EINVAL, "memory region is larger than its file");
	if (desc->offset + desc->size > SIZE_MAX - 4 * *page)
		return err_set(err, EINVAL, "memory region is too large");
	return 0;
}

/** Map the file between guard pages. */
static int
memory_map_guarded(struct memory_region *region, int fd, size_t page)
{
	region->guard_size = region->map_size + 3 * page;
	region->guard = mmap(NULL, region->guard_size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region->guard == MAP_FAILED)
		return -errno;
	uintptr_t at = ((uintptr_t)region->guard + 2 * page - 1) / page * page;
	region->map = mmap((void *)at, region->map_size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (region->map == MAP_FAILED) {
		int rc = -errno;
		munmap(region->guard, region->guard_size);
		return rc;
	}
	madvise(region->map, region->map_size, MADV_DONTDUMP);
	return 0;
}

/** Check and map a region, with a SIGBUS guard. @return 0; negative errno with the reason */
static int
memory_add_region(struct memory *memory, const struct memory_region_desc *desc, struct err *err)
{
	struct memory_region *region = &memory->region[memory->n];
	struct stat status;
	size_t page = 0;
	int rc = memory_check_region(memory, desc, err);

	if (rc == 0)
		rc = memory_check_file(desc, &status, &page, err);
	if (rc < 0)
		return rc;
	/* From the start of the file and in whole hugepages, as munmap() requires. */
	*region = (struct memory_region){
		.gpa = desc->gpa,
		.size = desc->size,
		.uva = desc->uva,
		.device = status.st_dev,
		.file = status.st_ino,
		.map_size = (desc->offset + desc->size + page - 1) / page * page,
	};
	rc = memory_map_guarded(region, desc->fd, page);
	if (rc < 0)
		return err_set(err, -rc, "memory region cannot be mapped: %s", strerror(-rc));
	region->hva = (uint8_t *)region->map + desc->offset;
	region->sigbus_number = sigbus_guard(region->map, region->map_size, &memory->missing);
	memory->n++;
	if (region->sigbus_number < 0)
		return err_set(err, ENOSPC, "too many memory regions of all front ends");
	int seals = fcntl(desc->fd, F_GET_SEALS);
	memory->huge &= page >= MEMORY_HUGE;
	memory->sealed &= seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
	return 0;
}

int
memory_map(struct memory *memory, const struct memory_region_desc regions[], unsigned n,
	struct err *err)
{
	memset(memory, 0, sizeof(*memory));
	memory->sealed = true;
	memory->huge = true;
	if (n > MEMORY_REGIONS_MAX)
		return err_set(
			err, EINVAL, "%u memory regions, more than %d", n, MEMORY_REGIONS_MAX);
	for (unsigned i = 0; i < n; i++) {
		int rc = memory_add_region(memory, &regions[i], err);
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
		sigbus_unguard(memory->region[i].sigbus_number);
		munmap(memory->region[i].guard, memory->region[i].guard_size);
	}
	memset(memory, 0, sizeof(*memory));
}

/** @return the region of a GPA, or NULL; regions do not overlap */
static const struct memory_region *
memory_find_region(const struct memory *memory, uint64_t gpa)
{
	for (unsigned i = 0; i < memory->n; i++)
		if (gpa - memory->region[i].gpa < memory->region[i].size)
			return &memory->region[i];
	return NULL;
}

/** @return true if a mapped region is the one that the front end describes */
static bool
memory_region_matches(const struct memory_region *region, const struct memory_region_desc *desc)
{
	struct err err = {0};
	struct stat status;
	size_t page;

	/* The mapping keeps the inode alive, so that its number is not reused. */
	return region->gpa == desc->gpa && region->size == desc->size && region->uva == desc->uva &&
	       region->hva == (uint8_t *)region->map + desc->offset &&
	       memory_check_file(desc, &status, &page, &err) == 0 &&
	       region->device == status.st_dev && region->file == status.st_ino;
}

bool
memory_matches(const struct memory *memory, const struct memory_region_desc regions[], unsigned n)
{
	bool same = memory->n == n && !memory_is_missing(memory);

	for (unsigned i = 0; same && i < n; i++)
		same = memory_region_matches(&memory->region[i], &regions[i]);
	return same;
}

uint8_t *
memory_translate_slow(const struct memory *memory, unsigned *hint, uint64_t gpa, uint32_t length)
{
	const struct memory_region *region = memory_find_region(memory, gpa);

	if (region == NULL || length > region->size - (gpa - region->gpa))
		return NULL;
	*hint = (unsigned)(region - memory->region);
	return region->hva + (gpa - region->gpa);
}

uint64_t
memory_left(const struct memory *memory, uint64_t gpa)
{
	const struct memory_region *region = memory_find_region(memory, gpa);

	return region != NULL ? region->size - (gpa - region->gpa) : 0;
}

bool
memory_gpa(const struct memory *memory, const void *hva, uint64_t *gpa)
{
	for (unsigned i = 0; i < memory->n; i++) {
		uintptr_t offset = (uintptr_t)hva - (uintptr_t)memory->region[i].hva;
		if (offset >= memory->region[i].size)
			continue;
		*gpa = memory->region[i].gpa + offset;
		return true;
	}
	return false;
}
