/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleep of an lcore: queues with descriptors and without, and what ends the sleep. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/rx_sleep.h"
#include "eal_fixture.h"

enum { PORTS = 2, QUEUES = 2, LCORE = 1, OTHER = 2 };

/** A device whose queues have eventfds. */
struct device {
	int fd[QUEUES];
	unsigned prepared[QUEUES];
	bool polled; /**< its queue 1 has no descriptor now */
};

static struct device devices[PORTS];
static struct port ports[PORTS];
static struct snapshot *snapshot;
static struct rx_sleep rx_sleep;

static int
device_rx_fd(void *dev, uint16_t queue)
{
	struct device *device = dev;
	eventfd_t count;

	device->prepared[queue]++;
	eventfd_read(device->fd[queue], &count);
	return device->polled && queue == 1 ? -1 : device->fd[queue];
}

static const struct port_type type = {.name = "device"};
static const struct port_driver with_fds = {.type = &type, .rx_fd = device_rx_fd};
static const struct port_driver without_fds = {.type = &type};
static const struct feature *const no_features[] = {NULL};

/** Queues of the first port, and queue 0 of the second one, are assigned to one lcore. */
static void
build(const struct port_driver *second)
{
	static struct port *by_id[PORT_MAX];
	static bool up[PORT_MAX];
	struct snapshot_queue queues[PORTS * QUEUES];

	for (uint16_t i = 0; i < PORTS; i++) {
		ports[i] = (struct port){
			.config.driver = i == 0 ? &with_fds : second, .id = i, .dev = &devices[i]};
		port_config_defaults(&ports[i].config);
		by_id[i] = &ports[i];
		for (uint16_t q = 0; q < QUEUES; q++)
			queues[i * QUEUES + q] = (struct snapshot_queue){.port = &ports[i],
				.queue = q,
				.lcore_id = i == 1 && q == 1 ? OTHER : LCORE,
				.active = true};
	}
	snapshot = snapshot_build(no_features, NULL, by_id, up, queues, COUNT(queues));
	assert_non_null(snapshot);
}

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PORTS; i++) {
		devices[i] = (struct device){.polled = false};
		for (unsigned q = 0; q < QUEUES; q++)
			devices[i].fd[q] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	}
	build(&with_fds);
	return rx_sleep_open(&rx_sleep);
}

static int
teardown(void **state)
{
	(void)state;
	rx_sleep_close(&rx_sleep);
	snapshot_free(snapshot);
	for (unsigned i = 0; i < PORTS; i++)
		for (unsigned q = 0; q < QUEUES; q++)
			close(devices[i].fd[q]);
	return 0;
}

static bool
prepare(void)
{
	return rx_sleep_prepare(&rx_sleep, &snapshot->lcore[LCORE]);
}

static bool
is_ready(void)
{
	return rx_sleep_wait(&rx_sleep, 0);
}

/**
 * Each queue of the lcore ends its sleep, until it is prepared again; a queue of another lcore does
 * not.
 */
static void
test_frames(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PORTS; i++) {
		for (unsigned q = 0; q < QUEUES; q++) {
			bool own = i == 0 || q == 0;
			assert_true(prepare());
			assert_false(is_ready());
			eventfd_write(devices[i].fd[q], 1);
			assert_int_equal(is_ready(), own);
			assert_int_equal(is_ready(), own);
		}
	}
	assert_int_equal(devices[0].prepared[0], 4);
	assert_int_equal(devices[0].prepared[1], 4);
	assert_int_equal(devices[1].prepared[0], 4);
	assert_int_equal(devices[1].prepared[1], 0);
}

static void
test_woken(void **state)
{
	(void)state;
	assert_true(prepare());
	rx_sleep_wake(&rx_sleep);
	rx_sleep_wake(&rx_sleep);
	assert_true(is_ready());
	assert_false(is_ready());
	rx_sleep_wake(&rx_sleep);
	assert_true(prepare());
	assert_true(is_ready());
}

/** A queue that has no descriptor, or has none any more, keeps the lcore polling. */
static void
test_polled(void **state)
{
	(void)state;
	devices[1].polled = true;
	assert_true(prepare());
	devices[0].polled = true;
	assert_false(prepare());
	devices[0].polled = false;
	assert_true(prepare());
	snapshot_free(snapshot);
	build(&without_fds);
	assert_false(prepare());
}

/** An lcore without queues sleeps until a wake. */
static void
test_no_queues(void **state)
{
	(void)state;
	assert_true(rx_sleep_prepare(&rx_sleep, &snapshot->lcore[0]));
	eventfd_write(devices[0].fd[0], 1);
	assert_false(is_ready());
	rx_sleep_wake(&rx_sleep);
	assert_true(is_ready());
}

static void *
sleeper(void *woken)
{
	*(bool *)woken = rx_sleep_wait(&rx_sleep, -1);
	return NULL;
}

/** A sleep without a timeout is ended by another thread: by frames, and by a wake. */
static void
test_other_thread(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		bool woken = false;
		pthread_t thread;

		assert_true(prepare());
		assert_int_equal(pthread_create(&thread, NULL, sleeper, &woken), 0);
		if (i % 2 == 0)
			eventfd_write(devices[0].fd[1], 1);
		else
			rx_sleep_wake(&rx_sleep);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_true(woken);
	}
}

#define sleep_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sleep_test(test_frames),
		sleep_test(test_woken),
		sleep_test(test_polled),
		sleep_test(test_no_queues),
		sleep_test(test_other_thread),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
