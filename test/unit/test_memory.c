/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory table of a front end, and translation of addresses from the guest. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vring/memory.h"

enum { PAGE = 4096, HUGE = 2 << 20 };

static struct memory memory;
static struct err err;

static int
file(off_t size, unsigned flags)
{
	int fd = memfd_create("memory", MFD_CLOEXEC | flags);

	if (fd >= 0 && ftruncate(fd, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
expect_refused(const struct memory_region_desc regions[], unsigned n, const char *why)
{
	memset(&memory, 0xee, sizeof(memory));
	err = (struct err){0};
	int rc = memory_map(&memory, regions, n, &err);
	assert_true(rc < 0);
	assert_int_equal(err.code, rc);
	assert_contains(err.text, why);
	assert_int_equal(memory.n, 0);
	/* To be released in any case. */
	memory_unmap(&memory);
}

static void
test_translate(void **state)
{
	int fd = file(16 * PAGE, 0);
	const struct memory_region_desc regions[] = {
		{.gpa = 0x10000, .size = 2 * PAGE, .offset = 0, .fd = fd, .uva = 0x7f0000},
		{.gpa = 0x10000 + 2 * PAGE, .size = PAGE, .offset = 5 * PAGE, .fd = fd},
		{.gpa = UINT64_MAX - PAGE, .size = PAGE, .offset = 100, .fd = fd},
	};
	unsigned hint = 0;

	(void)state;
	assert_int_equal(memory_map(&memory, regions, COUNT(regions), &err), 0);
	assert_int_equal(memory.n, 3);
	assert_int_equal(memory.region[0].uva, 0x7f0000);
	uint8_t *low = memory_translate(&memory, &hint, 0x10000, 2 * PAGE);
	assert_ptr_equal(low, memory.region[0].hva);
	assert_ptr_equal(memory_translate(&memory, &hint, 0x10000 + 17, 1), low + 17);
	/* A range across the border of regions has two parts. */
	assert_null(memory_translate(&memory, &hint, 0x10000, 2 * PAGE + 1));
	assert_null(memory_translate(&memory, &hint, 0x10000 + 2 * PAGE - 1, 2));
	assert_null(memory_translate(&memory, &hint, 0x10000, UINT32_MAX));
	uint64_t gpa = 0;
	assert_true(memory_gpa(&memory, low + 2 * PAGE - 1, &gpa));
	assert_int_equal(gpa, 0x10000 + 2 * PAGE - 1);
	assert_true(memory_gpa(&memory, memory.region[1].hva, &gpa));
	assert_int_equal(gpa, 0x10000 + 2 * PAGE);
	assert_true(memory_gpa(&memory, memory.region[2].hva + PAGE - 1, &gpa));
	assert_int_equal(gpa, UINT64_MAX - 1);
	assert_false(memory_gpa(&memory, low - 1, &gpa));
	assert_false(memory_gpa(&memory, low + 2 * PAGE, &gpa));
	assert_false(memory_gpa(&memory, &gpa, &gpa));
	assert_int_equal(memory_left(&memory, 0x10000 + 2 * PAGE - 1), 1);
	assert_int_equal(memory_left(&memory, 0x10000 + 2 * PAGE), PAGE);
	assert_int_equal(memory_left(&memory, 0x10000 + 3 * PAGE), 0);
	assert_int_equal(hint, 0);
	uint8_t *high = memory_translate(&memory, &hint, 0x10000 + 2 * PAGE, PAGE);
	assert_int_equal(hint, 1);
	assert_ptr_equal(high, memory.region[1].hva);
	/* A length of 0 needs a valid address as well. */
	assert_null(memory_translate(&memory, &hint, 0, 0));
	assert_null(memory_translate(&memory, &hint, 0xffff, 0));
	assert_null(memory_translate(&memory, &hint, 0x10000 + 3 * PAGE, 0));
	assert_non_null(memory_translate(&memory, &hint, 0x10000 + 3 * PAGE - 1, 0));
	/* The end of the address space. */
	assert_non_null(memory_translate(&memory, &hint, UINT64_MAX - PAGE, PAGE));
	assert_non_null(memory_translate(&memory, &hint, UINT64_MAX - 1, 1));
	assert_null(memory_translate(&memory, &hint, UINT64_MAX - 1, 2));
	assert_null(memory_translate(&memory, &hint, UINT64_MAX, 1));
	assert_null(memory_translate(&memory, &hint, UINT64_MAX, UINT32_MAX));
	/* The mapping is that of the file, from the offset on. */
	memcpy(high, "high", 4);
	memcpy(memory.region[2].hva, "odd", 3);
	char text[4];
	assert_int_equal(pread(fd, text, 4, 5 * PAGE), 4);
	assert_memory_equal(text, "high", 4);
	assert_int_equal(pread(fd, text, 3, 100), 3);
	assert_memory_equal(text, "odd", 3);
	memory_unmap(&memory);
	assert_null(memory_translate(&memory, &hint, 0x10000, 1));
	close(fd);
}

static void
test_refused(void **state)
{
	int fd = file(4 * PAGE, 0);
	struct memory_region_desc many[MEMORY_REGIONS_MAX + 1];
	struct memory_region_desc regions[2] = {{.gpa = 0x100000, .size = PAGE, .fd = fd},
		{.gpa = 0x200000, .size = PAGE, .fd = fd}};

	(void)state;
#define TRY(why, ...)                                                                              \
	do {                                                                                       \
		regions[1] = (struct memory_region_desc){__VA_ARGS__};                             \
		expect_refused(regions, 2, why);                                                   \
	} while (0)
	TRY("empty", .gpa = 0x200000, .size = 0, .fd = fd);
	TRY("wraps", .gpa = UINT64_MAX - PAGE + 2, .size = PAGE, .fd = fd);
	TRY("wraps", .gpa = UINT64_MAX - PAGE + 1, .size = PAGE, .fd = fd);
	TRY("wraps", .gpa = 0x200000, .size = UINT64_MAX, .fd = fd);
	TRY("wraps", .gpa = 0, .size = UINT64_MAX, .offset = 2, .fd = fd);
	TRY("wraps", .gpa = 0x200000, .size = PAGE, .offset = UINT64_MAX - 10, .fd = fd);
	TRY("overlap", .gpa = 0x100000, .size = PAGE, .fd = fd);
	TRY("overlap", .gpa = 0x100000 + PAGE - 1, .size = PAGE, .fd = fd);
	TRY("overlap", .gpa = 0x100000 - PAGE + 1, .size = PAGE, .fd = fd);
	TRY("overlap", .gpa = 0x100000 - PAGE, .size = 3 * PAGE, .fd = fd);
	TRY("larger than its file", .gpa = 0x200000, .size = 4 * PAGE + 1, .fd = fd);
	TRY("larger than its file", .gpa = 0x200000, .size = PAGE, .offset = 3 * PAGE + 1,
		.fd = fd);
	TRY("larger than its file", .gpa = 0x200000, .size = UINT64_MAX - 0x300000, .fd = fd);
	TRY("memory region", .gpa = 0x200000, .size = PAGE, .fd = -1);
#undef TRY
	/* Adjacent regions do not overlap. */
	regions[1] = (struct memory_region_desc){.gpa = 0x100000 + PAGE, .size = PAGE, .fd = fd};
	assert_int_equal(memory_map(&memory, regions, 2, &err), 0);
	memory_unmap(&memory);
	for (unsigned i = 0; i < COUNT(many); i++)
		many[i] = (struct memory_region_desc){.gpa = i * PAGE, .size = PAGE, .fd = fd};
	expect_refused(many, COUNT(many), "9 memory regions, more than 8");
	assert_int_equal(memory_map(&memory, many, MEMORY_REGIONS_MAX, &err), 0);
	assert_int_equal(memory.n, MEMORY_REGIONS_MAX);
	memory_unmap(&memory);
	close(fd);
}

/* Descriptors that cannot be mapped. */
static void
test_other_files(void **state)
{
	int fds[2], device = open("/dev/zero", O_RDWR | O_CLOEXEC);
	struct memory_region_desc desc = {.gpa = 0, .size = PAGE};

	(void)state;
	assert_int_equal(pipe(fds), 0);
	desc.fd = fds[0];
	expect_refused(&desc, 1, "not shared memory");
	close(fds[0]);
	close(fds[1]);
	desc.fd = device;
	desc.size = UINT64_MAX - 1;
	expect_refused(&desc, 1, "memory region");
	desc.size = PAGE;
	expect_refused(&desc, 1, "not shared memory");
	close(device);
	/* Faulting pages in from a disk may take long. */
	desc.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	expect_refused(&desc, 1, "not shared memory");
	close(desc.fd);
	/* A file opened read-only is refused. */
	int fd = file(PAGE, 0);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	desc = (struct memory_region_desc){.size = PAGE, .fd = open(path, O_RDONLY | O_CLOEXEC)};
	expect_refused(&desc, 1, "cannot be mapped");
	close(desc.fd);
	close(fd);
}

static unsigned
mappings(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned n = 0;

	while (fgets(line, sizeof(line), maps) != NULL)
		n += strstr(line, name) != NULL;
	fclose(maps);
	return n;
}

static void
test_unmapped(void **state)
{
	int fd = file(8 * PAGE, 0);
	const struct memory_region_desc regions[] = {
		{.gpa = 0, .size = 100, .offset = 5000, .fd = fd},
		{.gpa = 0x100000, .size = PAGE + 1, .fd = fd},
		{.gpa = 0x200000, .size = 9 * PAGE, .fd = fd},
	};

	(void)state;
	expect_refused(regions, 3, "larger than its file");
	assert_int_equal(mappings("memfd:memory"), 0);
	assert_int_equal(memory_map(&memory, regions, 2, &err), 0);
	assert_uint_in_range(mappings("memfd:memory"), 1, 2);
	memory_unmap(&memory);
	assert_int_equal(mappings("memfd:memory"), 0);
	close(fd);
}

/* A region may end within a hugepage; the whole page is unmapped. */
static void
test_hugepages(void **state)
{
	int fd = file(2 * HUGE, MFD_HUGETLB | MFD_HUGE_2MB);
	const struct memory_region_desc regions[] = {
		{.gpa = 0, .size = HUGE - PAGE, .offset = PAGE, .fd = fd},
		{.gpa = 0x40000000, .size = PAGE, .offset = HUGE, .fd = fd},
	};

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(memory_map(&memory, regions, 2, &err), 0);
	assert_int_equal(memory.region[0].map_size, HUGE);
	assert_int_equal(memory.region[1].map_size, 2 * HUGE);
	assert_uint_in_range(mappings("memfd:memory"), 1, 2);
	memory_unmap(&memory);
	assert_int_equal(mappings("memfd:memory"), 0);
	close(fd);
}

/** The same table again, and what is not the same. */
static void
test_is(void **state)
{
	int fd = file(8 * PAGE, 0), other = file(8 * PAGE, 0), again = dup(fd);
	const struct memory_region_desc regions[] = {
		{.gpa = 0, .size = PAGE, .offset = PAGE, .fd = fd, .uva = 0x7f0000},
		{.gpa = 0x10000, .size = 4 * PAGE, .offset = 4 * PAGE, .fd = fd},
	};
	struct memory_region_desc changed[COUNT(regions)];

	(void)state;
	assert_int_equal(memory_map(&memory, regions, COUNT(regions), &err), 0);
	memcpy(changed, regions, sizeof(regions));
	changed[1].fd = again;
	assert_true(memory_matches(&memory, changed, COUNT(regions)));
	assert_false(memory_matches(&memory, changed, 1));
	changed[1].fd = other;
	assert_false(memory_matches(&memory, changed, COUNT(regions)));
	changed[1] = regions[1];
	changed[1].offset -= PAGE;
	assert_false(memory_matches(&memory, changed, COUNT(regions)));
	changed[1] = regions[1];
	changed[0].uva++;
	assert_false(memory_matches(&memory, changed, COUNT(regions)));
	assert_true(memory_matches(&memory, regions, COUNT(regions)));
	/* A file that was truncated is detected. */
	assert_int_equal(ftruncate(fd, 7 * PAGE), 0);
	assert_false(memory_matches(&memory, regions, COUNT(regions)));
	assert_int_equal(ftruncate(fd, 8 * PAGE), 0);
	atomic_store(&memory.missing, true);
	assert_false(memory_matches(&memory, regions, COUNT(regions)));
	memory_unmap(&memory);
	close(again);
	close(other);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translate),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_unmapped),
		cmocka_unit_test(test_hugepages),
		cmocka_unit_test(test_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
