/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory and devices that are added and removed in any order: what is mapped when. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "frame/dma_map.h"

enum { RANGES = 16, PAGE = 4096, ROUNDS = 2000 };

/** The ranges mapped in the fake container, by number; each is mapped once at most. */
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

static const struct dma_map_ops fake = {fake_map, fake_unmap};

static struct dma_map_device nic[2] = {
	{.ops = &fake, .device = &nic[0]}, {.ops = &fake, .device = &nic[1]}};

/** Memory of two ranges, numbered from `first`. */
static struct dma_map_memory
memory_of(uintptr_t first)
{
	return (struct dma_map_memory){.n = 2,
		.huge = true,
		.range = {{(void *)(first * PAGE), PAGE}, {(void *)((first + 1) * PAGE), PAGE}}};
}

static void
check_state(unsigned memories, unsigned good, int error)
{
	struct dma_map_status state;

	dma_map_get_status(&state);
	assert_int_equal(state.memories, memories);
	assert_int_equal(state.mapped, good);
	assert_int_equal(state.error, error);
}

static int
setup(void **state)
{
	(void)state;
	refuse = 0;
	return 0;
}

/** Nothing is mapped without a device; the first device causes one mapping for all devices. */
static void
test_device_comes_later(void **state)
{
	struct dma_map_memory one = memory_of(1), two = memory_of(3);

	(void)state;
	dma_map_add(&one);
	check_state(1, 0, 0);
	assert_int_equal(n_mapped, 0);
	dma_map_attach(&nic[0]);
	assert_true(one.mapped);
	assert_int_equal(n_mapped, 2);
	dma_map_add(&two);
	dma_map_attach(&nic[1]);
	assert_int_equal(n_mapped, 4);
	check_state(2, 2, 0);
	/* Devices and memory can be removed in the order in which they were added. */
	dma_map_detach(&nic[0]);
	assert_int_equal(n_mapped, 4);
	dma_map_remove(&one);
	assert_int_equal(n_mapped, 2);
	dma_map_detach(&nic[1]);
	assert_false(two.mapped);
	assert_int_equal(n_mapped, 0);
	dma_map_remove(&two);
	check_state(0, 0, 0);
}

/** Guest memory is mapped as a whole or not at all; the next device causes another attempt. */
static void
test_refused(void **state)
{
	struct dma_map_memory one = memory_of(1), two = memory_of(3);

	(void)state;
	dma_map_attach(&nic[0]);
	refuse = 4;
	dma_map_add(&one);
	dma_map_add(&two);
	assert_true(one.mapped);
	assert_false(two.mapped);
	assert_int_equal(n_mapped, 2);
	check_state(2, 1, -ENOSPC);
	refuse = 0;
	dma_map_attach(&nic[1]);
	assert_true(two.mapped);
	check_state(2, 2, 0);
	refuse = 3;
	dma_map_remove(&two);
	dma_map_add(&two);
	check_state(2, 1, -ENOSPC);
	/* Without devices there is no error to report. */
	dma_map_detach(&nic[1]);
	dma_map_detach(&nic[0]);
	check_state(2, 0, 0);
	dma_map_remove(&one);
	dma_map_remove(&two);
	assert_int_equal(n_mapped, 0);
}

/** Memory in small pages is mapped only if a device requires it. */
static void
test_small_pages(void **state)
{
	struct dma_map_memory small = memory_of(1), huge = memory_of(3);
	struct dma_map_device wants = {.ops = &fake, .device = &nic[1], .all = true};

	(void)state;
	small.huge = false;
	dma_map_add(&small);
	dma_map_add(&huge);
	dma_map_attach(&nic[0]);
	assert_false(small.mapped);
	assert_true(huge.mapped);
	check_state(2, 1, -EPERM);
	dma_map_attach(&wants);
	assert_true(small.mapped);
	check_state(2, 2, 0);
	dma_map_detach(&wants);
	dma_map_detach(&nic[0]);
	dma_map_remove(&small);
	dma_map_remove(&huge);
	assert_int_equal(n_mapped, 0);
}

static void *
come_and_go(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		dma_map_attach(arg);
		dma_map_detach(arg);
	}
	return NULL;
}

/** One thread adds and removes devices, another memory. */
static void
test_threads(void **state)
{
	struct dma_map_memory one = memory_of(1);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, &nic[0]), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		dma_map_add(&one);
		dma_map_remove(&one);
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
