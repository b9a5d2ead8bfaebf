/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals through a file in memory: none is lost, whenever it is read. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vring/call_relay.h"

enum { THREADS = 4, SIGNALS = 20000, ROUNDS = 5000 };

static struct call_relay relay;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint taken;

static int
setup(void **state)
{
	(void)state;
	atomic_store(&taken, 0);
	return call_relay_open(&relay);
}

static int
teardown(void **state)
{
	(void)state;
	call_relay_close(&relay);
	return 0;
}

static void
test_closed(void **state)
{
	static struct call_relay closed;

	(void)state;
	assert_false(call_relay_read(&closed));
	call_relay_close(&closed);
}

static void
test_opened_again(void **state)
{
	int fd = relay.fd;

	(void)state;
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_int_equal(call_relay_open(&relay), 0);
	assert_int_equal(relay.fd, fd);
	assert_true(call_relay_read(&relay));
	call_relay_close(&relay);
	assert_false(call_relay_read(&relay));
	assert_int_equal(call_relay_open(&relay), 0);
	assert_false(call_relay_read(&relay));
}

/** Any number of signals between two reads, many times the length of the file. */
static void
test_rounds(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t n = unit_random(&seed, 20);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(eventfd_write(relay.fd, 1), 0);
		assert_int_equal(call_relay_read(&relay), n > 0);
		assert_false(call_relay_read(&relay));
	}
}

/** More signals than the file has space for. */
static void
test_full(void **state)
{
	unsigned written = 0;

	(void)state;
	while (eventfd_write(relay.fd, 1) == 0)
		assert_uint_in_range(++written, 1, 1 << 16);
	assert_int_equal(errno, EPERM);
	assert_true(call_relay_read(&relay));
	assert_false(call_relay_read(&relay));
	assert_int_equal(eventfd_write(relay.fd, 1), 0);
	assert_true(call_relay_read(&relay));
	assert_false(call_relay_read(&relay));
}

/** Through a duplicate of the descriptor, as librte_vhost keeps it. */
static void
test_duplicate(void **state)
{
	int fd = fcntl(relay.fd, F_DUPFD_CLOEXEC, 0);

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(eventfd_write(i % 2 ? fd : relay.fd, 1), 0);
		assert_true(call_relay_read(&relay));
	}
	close(fd);
}

/** As lcores that share a ring: signals are serialized by a lock, reads are not. */
static void *
signal_and_read(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < SIGNALS; i++) {
		pthread_mutex_lock(&lock);
		int rc = eventfd_write(relay.fd, 1);
		pthread_mutex_unlock(&lock);
		if (rc < 0)
			break;
		if (call_relay_read(&relay))
			atomic_fetch_add(&taken, 1);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, signal_and_read, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	/* Every thread has read after its last signal. */
	assert_false(call_relay_read(&relay));
	assert_uint_in_range(atomic_load(&taken), 1, THREADS * SIGNALS);
	assert_int_equal(eventfd_write(relay.fd, 1), 0);
	assert_true(call_relay_read(&relay));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed),
		cmocka_unit_test_setup_teardown(test_opened_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_duplicate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
