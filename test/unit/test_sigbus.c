/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory that is removed while it is used: zeros and a flag replace it, and nothing else
 * changes.
 */
#include "unit.h"

#include <linux/memfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vring/sigbus.h"
#include "vring/memory.h"

enum { PAGE = 4096, HUGE = 2 << 20, PAGES = 8, ROUNDS = 300, RANGES_MOST = 1 << 16 };

static struct err err;

/** The handler before each test is cmocka's. */
static void
start(void **state)
{
	(void)state;
	assert_int_equal(sigbus_install(), 0);
	assert_int_equal(sigbus_install(), 0);
}

/** Whether there are pages for a file: a mapping reserves them. */
static bool
has_pages(int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return map != MAP_FAILED && munmap(map, size) == 0;
}

/** @return a file of so many pages, or -1 when there are no hugepages */
static int
file(size_t page, bool huge)
{
	unsigned flags = huge ? MFD_HUGETLB | MFD_HUGE_2MB : MFD_ALLOW_SEALING;
	int fd = memfd_create("lost", MFD_CLOEXEC | flags);

	if (fd >= 0 && ftruncate(fd, (off_t)(PAGES * page)) == 0 && has_pages(fd, PAGES * page))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static volatile uint8_t *
map(struct memory *memory, int fd, size_t page)
{
	const struct memory_region_desc claim = {.gpa = 0x10000, .size = PAGES * page, .fd = fd};

	assert_int_equal(memory_map(memory, &claim, 1, &err), 0);
	return memory->region[0].hva;
}

static void
truncated(size_t page, bool huge)
{
	struct memory memory, other;
	int fd = file(page, huge), beside = file(PAGE, false);

	assert_true(beside >= 0);
	if (fd < 0)
		skip();
	volatile uint8_t *bytes = map(&memory, fd, page), *good = map(&other, beside, PAGE);
	bytes[0] = bytes[3 * page] = bytes[PAGES * page - 1] = 7;
	good[0] = 8;
	assert_false(memory_is_missing(&memory));
	assert_int_equal(ftruncate(fd, (off_t)(2 * page)), 0);
	/* Below the new end nothing is missing. */
	assert_int_equal(bytes[0], 7);
	assert_false(memory_is_missing(&memory));
	assert_int_equal(bytes[3 * page], 0);
	assert_true(memory_is_missing(&memory));
	assert_int_equal(bytes[PAGES * page - 1], 0);
	/* All of it is private now: writes do not reach the file. */
	bytes[0] = bytes[3 * page] = 9;
	assert_int_equal(bytes[0], 9);
	assert_int_equal(good[0], 8);
	assert_false(memory_is_missing(&other));
	memory_unmap(&memory);
	assert_int_equal(ftruncate(fd, (off_t)(PAGES * page)), 0);
	/* A new mapping is good. */
	bytes = map(&memory, fd, page);
	assert_int_equal(bytes[0], 7);
	assert_false(memory_is_missing(&memory));
	memory_unmap(&memory);
	memory_unmap(&other);
	close(fd);
	close(beside);
}

static void
test_truncated(void **state)
{
	start(state);
	truncated(PAGE, false);
}

static void
test_truncated_hugepages(void **state)
{
	start(state);
	truncated(HUGE, true);
}

/** A mapping of guest memory by librte_vhost, read on a thread that has called sigbus_enter(). */
static void
foreign(size_t page, bool huge)
{
	int fd = file(page, huge);

	if (fd < 0)
		skip();
	volatile uint8_t *bytes =
		mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true((const void *)bytes != MAP_FAILED);
	sigbus_enter();
	bytes[0] = 1;
	assert_false(sigbus_leave());
	assert_int_equal(ftruncate(fd, (off_t)page), 0);
	sigbus_enter();
	bytes[4 * page] = 2;
	assert_int_equal(bytes[5 * page], 0);
	assert_true(sigbus_leave());
	sigbus_enter();
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[4 * page], 2);
	assert_false(sigbus_leave());
	munmap((void *)(uintptr_t)bytes, PAGES * page);
	close(fd);
}

static void
test_foreign(void **state)
{
	start(state);
	foreign(PAGE, false);
}

static void
test_foreign_hugepages(void **state)
{
	start(state);
	foreign(HUGE, true);
}

/* sigbus_leave() reports a fault once, and nothing without sigbus_enter(). */
static void
test_reported_once(void **state)
{
	int fd = file(PAGE, false);
	volatile uint8_t *bytes =
		mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	start(state);
	assert_true((const void *)bytes != MAP_FAILED);
	assert_false(sigbus_leave());
	sigbus_enter();
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(bytes[0], 0);
	assert_true(sigbus_leave());
	assert_false(sigbus_leave());
	munmap((void *)(uintptr_t)bytes, PAGES * PAGE);
	close(fd);
}

/** Run a function that must end the process. */
static void
expect_death(void (*act)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* Restore the default handlers: cmocka's would continue the tests in the child. */
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		if (sigbus_install() < 0)
			_exit(0);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(status, 0);
}

static struct memory fenced;

static void
touch_unwatched(void)
{
	int fd = file(PAGE, false);
	volatile uint8_t *bytes =
		mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (ftruncate(fd, 0) == 0)
		bytes[0] = 1;
}

static void
signal_myself(void)
{
	kill(getpid(), SIGBUS);
}

static void
touch_before(void)
{
	((volatile uint8_t *)fenced.region[0].map)[-1] = 1;
}

static void
touch_behind(void)
{
	((volatile uint8_t *)fenced.region[0].map)[fenced.region[0].map_size] = 1;
}

/* A fault outside guest memory ends the process. */
static void
test_elsewhere(void **state)
{
	start(state);
	expect_death(touch_unwatched);
	expect_death(signal_myself);
}

/* A byte before a mapping and one behind it are inaccessible. */
static void
test_fenced(void **state)
{
	int fd = file(PAGE, false);

	start(state);
	map(&fenced, fd, PAGE);
	expect_death(touch_before);
	expect_death(touch_behind);
	memory_unmap(&fenced);
	close(fd);
}

/** Whether the mapping at an address is left out of core dumps. */
static bool
undumped(const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512], start[32];
	bool here = false, found = false;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)address);
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (strncmp(line, start, strlen(start)) == 0)
			here = true;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			break;
	}
	found = here && strstr(line, " dd") != NULL;
	if (maps != NULL)
		fclose(maps);
	return found;
}

static void
test_undumped(void **state)
{
	struct memory memory;
	int fd = file(PAGE, false);

	start(state);
	map(&memory, fd, PAGE);
	assert_true(undumped(memory.region[0].map));
	memory_unmap(&memory);
	close(fd);
}

/* The number of watched ranges is limited, and a slot that was freed is used again. */
static void
test_many(void **state)
{
	atomic_bool lost = false;
	int number = 0, n = 0;

	start(state);
	while (n < RANGES_MOST && number >= 0) {
		number = sigbus_guard((void *)(uintptr_t)PAGE, 1, &lost);
		n += number >= 0;
	}
	assert_uint_in_range(n, 8192, RANGES_MOST - 1);
	struct memory memory;
	int fd = file(PAGE, false);
	const struct memory_region_desc claim = {.gpa = 0, .size = PAGE, .fd = fd};
	assert_true(memory_map(&memory, &claim, 1, &err) < 0);
	assert_contains(err.text, "too many");
	sigbus_unguard(n / 2);
	assert_int_equal(sigbus_guard((void *)(uintptr_t)PAGE, 1, &lost), n / 2);
	for (int i = 0; i < n; i++)
		sigbus_unguard(i);
	sigbus_unguard(-1);
	volatile uint8_t *bytes = map(&memory, fd, PAGE);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(bytes[0], 0);
	assert_false(lost);
	memory_unmap(&memory);
	close(fd);
}

static atomic_bool stop;

/** Ranges that are added and removed in other slots. */
static void *
churn(void *arg)
{
	(void)arg;
	while (!stop) {
		struct memory memory;
		int fd = file(PAGE, false);
		map(&memory, fd, PAGE)[0] = 1;
		if (memory_is_missing(&memory))
			abort();
		memory_unmap(&memory);
		close(fd);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t thread[2];

	start(state);
	stop = false;
	for (unsigned i = 0; i < COUNT(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, churn, NULL), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct memory memory;
		int fd = file(PAGE, false);
		volatile uint8_t *bytes = map(&memory, fd, PAGE);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(bytes[round % PAGES * PAGE], 0);
		assert_true(memory_is_missing(&memory));
		memory_unmap(&memory);
		close(fd);
	}
	stop = true;
	for (unsigned i = 0; i < COUNT(thread); i++)
		pthread_join(thread[i], NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_truncated_hugepages),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_foreign_hugepages),
		cmocka_unit_test(test_reported_once),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_undumped),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
