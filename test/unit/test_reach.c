/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory and devices that come and go in any order: what is mapped when. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "frame/reach.h"

enum { RANGES = 16, PAGE = 4096, ROUNDS = 2000 };

/** What the fake container has mapped: ranges by number, each once at most. */
static unsigned mapped[RANGES], n_mapped, refuse;

static unsigned
number(const void *start)
{
	return (unsigned)((uintptr_t)start / PAGE);
}

static int
fake_map(void *device, void *start, size_t size)
{
	assert_non_null(device);
	assert_int_equal(size, PAGE);
	if (number(start) == refuse)
		return -ENOSPC;
	assert_int_equal(mapped[number(start)]++, 0);
	n_mapped++;
	return 0;
}

static void
fake_unmap(void *device, void *start, size_t size)
{
	assert_non_null(device);
	assert_int_equal(size, PAGE);
	assert_int_equal(mapped[number(start)]--, 1);
	n_mapped--;
}

static const struct reach_ops fake = {fake_map, fake_unmap};

static struct reach_device nic[2] = {
	{.ops = &fake, .device = &nic[0]}, {.ops = &fake, .device = &nic[1]}};

/** Two ranges, from a number on. */
static struct reach_memory
memory_of(uintptr_t first)
{
	return (struct reach_memory){.n = 2,
		.huge = true,
		.range = {{(void *)(first * PAGE), PAGE}, {(void *)((first + 1) * PAGE), PAGE}}};
}

static void
check_state(unsigned memories, unsigned good, int why)
{
	struct reach_state state;

	reach_look(&state);
	assert_int_equal(state.memories, memories);
	assert_int_equal(state.mapped, good);
	assert_int_equal(state.why, why);
}

static int
setup(void **state)
{
	(void)state;
	refuse = 0;
	return 0;
}

/** Without a device nothing is mapped; with the first one all is, for all of them. */
static void
test_device_comes_later(void **state)
{
	struct reach_memory one = memory_of(1), two = memory_of(3);

	(void)state;
	reach_share(&one);
	check_state(1, 0, 0);
	assert_int_equal(n_mapped, 0);
	reach_join(&nic[0]);
	assert_true(one.mapped);
	assert_int_equal(n_mapped, 2);
	reach_share(&two);
	reach_join(&nic[1]);
	assert_int_equal(n_mapped, 4);
	check_state(2, 2, 0);
	/* Whoever came first may leave first. */
	reach_leave(&nic[0]);
	assert_int_equal(n_mapped, 4);
	reach_unshare(&one);
	assert_int_equal(n_mapped, 2);
	reach_leave(&nic[1]);
	assert_false(two.mapped);
	assert_int_equal(n_mapped, 0);
	reach_unshare(&two);
	check_state(0, 0, 0);
}

/** A memory is mapped as a whole or not at all, and tried again for the next device. */
static void
test_refused(void **state)
{
	struct reach_memory one = memory_of(1), two = memory_of(3);

	(void)state;
	reach_join(&nic[0]);
	refuse = 4;
	reach_share(&one);
	reach_share(&two);
	assert_true(one.mapped);
	assert_false(two.mapped);
	assert_int_equal(n_mapped, 2);
	check_state(2, 1, -ENOSPC);
	refuse = 0;
	reach_join(&nic[1]);
	assert_true(two.mapped);
	check_state(2, 2, 0);
	refuse = 3;
	reach_unshare(&two);
	reach_share(&two);
	check_state(2, 1, -ENOSPC);
	/* Without devices there is nothing to complain of. */
	reach_leave(&nic[1]);
	reach_leave(&nic[0]);
	check_state(2, 0, 0);
	reach_unshare(&one);
	reach_unshare(&two);
	assert_int_equal(n_mapped, 0);
}

/** Small pages are mapped for a device that wants them, and not because of others. */
static void
test_small_pages(void **state)
{
	struct reach_memory small = memory_of(1), huge = memory_of(3);
	struct reach_device wants = {.ops = &fake, .device = &nic[1], .all = true};

	(void)state;
	small.huge = false;
	reach_share(&small);
	reach_share(&huge);
	reach_join(&nic[0]);
	assert_false(small.mapped);
	assert_true(huge.mapped);
	check_state(2, 1, -EPERM);
	reach_join(&wants);
	assert_true(small.mapped);
	check_state(2, 2, 0);
	reach_leave(&wants);
	reach_leave(&nic[0]);
	reach_unshare(&small);
	reach_unshare(&huge);
	assert_int_equal(n_mapped, 0);
}

static void *
come_and_go(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		reach_join(arg);
		reach_leave(arg);
	}
	return NULL;
}

/** Devices of one thread, memory of another. */
static void
test_threads(void **state)
{
	struct reach_memory one = memory_of(1);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, &nic[0]), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		reach_share(&one);
		reach_unshare(&one);
	}
	pthread_join(thread, NULL);
	assert_int_equal(n_mapped, 0);
	check_state(0, 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_device_comes_later, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_small_pages, setup),
		cmocka_unit_test_setup(test_threads, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
