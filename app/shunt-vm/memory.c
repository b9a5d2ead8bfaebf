/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory in a memfd. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** Map a memfd with all of its pages. @return as mmap() */
static void *
memory_map(int fd, uint64_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
}

/** Try one page size. @return 0; -errno with nothing left open */
static int
memory_try(struct memory *memory, unsigned flags, bool sealed)
{
	int fd = memfd_create("shunt-vm", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	int code;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)memory->size) == 0 &&
		(!sealed || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)) {
		memory->base = memory_map(fd, memory->size);
		if (memory->base != MAP_FAILED) {
			memory->fd = fd;
			memory->huge = flags & MFD_HUGETLB;
			return 0;
		}
	}
	code = -errno;
	close(fd);
	return code;
}

/** Divide the memory into regions at hugepage boundaries, contiguous in GPA. */
static void
memory_cut(struct memory *memory, unsigned regions)
{
	uint64_t pages = memory->size / MEMORY_HUGE, from = 0;

	memory->n_regions = 0;
	for (unsigned i = 0; i < regions; i++) {
		uint64_t to = pages * (i + 1) / regions * MEMORY_HUGE;

		if (to == from)
			continue;
		memory->regions[memory->n_regions++] = (struct memory_region){
			.gpa = MEMORY_BASE + from,
			.size = to - from,
			.uva = (uint64_t)(uintptr_t)memory->base + from,
			.offset = from,
		};
		from = to;
	}
}

int
memory_open(struct memory *memory, uint64_t size, unsigned regions, bool sealed, struct err *err)
{
	int code;

	*memory = (struct memory){.fd = -1};
	size = size < regions * MEMORY_HUGE ? regions * MEMORY_HUGE : size;
	memory->size = (size + MEMORY_HUGE - 1) / MEMORY_HUGE * MEMORY_HUGE;
	code = memory_try(memory, MFD_HUGETLB, sealed);
	if (code != 0)
		code = memory_try(memory, 0, sealed);
	if (code != 0) {
		memory->base = NULL;
		return err_set(err, -code, "cannot get %llu MB of memory: %s",
			(unsigned long long)(memory->size >> 20), strerror(-code));
	}
	memory_cut(memory, regions);
	return 0;
}

void
memory_close(struct memory *memory)
{
	if (memory->base != NULL)
		munmap(memory->base, memory->size);
	if (memory->fd >= 0)
		close(memory->fd);
	*memory = (struct memory){.fd = -1};
}

void
memory_skip(struct memory *memory, uint64_t bytes)
{
	memory->skipped = bytes;
}

void *
memory_take(struct memory *memory, uint64_t bytes, uint64_t align)
{
	uint64_t from = (memory->used + align - 1) / align * align;
	uint64_t at = memory->skipped + from;

	if (at > memory->size || bytes > memory->size - at)
		return NULL;
	memory->used = from + bytes;
	return memory->base + at;
}
