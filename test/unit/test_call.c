/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts through descriptors that a hostile front end keeps playing with: nobody waits. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vring/call.h"

enum { MANY = 1000, THREADS = 4, STUCK_SECONDS = 20 };

static int
full_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	return fd;
}

static void
full_pipe(int fds[2])
{
	static const char bytes[4096];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(fds[1], bytes, sizeof(bytes)) > 0)
		continue;
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
}

static void
test_counts(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	eventfd_t value = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		assert_true(call_send(fd));
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, MANY);
	close(fd);
	assert_false(call_send(fd));
}

/* Full, and so that a write would wait. */
static void
test_full(void **state)
{
	int fd = full_eventfd();

	(void)state;
	alarm(STUCK_SECONDS);
	for (unsigned i = 0; i < MANY; i++)
		call_send(fd);
	alarm(0);
	close(fd);
}

static void
test_pipe(void **state)
{
	int fds[2];

	(void)state;
	full_pipe(fds);
	alarm(STUCK_SECONDS);
	assert_false(call_send(fds[1]));
	alarm(0);
	close(fds[0]);
	close(fds[1]);
}

static void
test_takes(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	full_pipe(fds);
	assert_true(call_takes(fd));
	assert_false(call_takes(fds[1]));
	assert_false(call_takes(null));
	close(fds[0]);
	close(fds[1]);
	close(null);
	close(fd);
	assert_false(call_takes(fd));
	assert_false(call_takes(-1));
}

static void *
send_many(void *arg)
{
	for (unsigned i = 0; i < MANY; i++)
		if (!call_send(*(const int *)arg))
			abort();
	return NULL;
}

/* Threads that come and go, all with something of their own. */
static void
test_threads(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	pthread_t thread[THREADS];
	eventfd_t value = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&thread[i], NULL, send_many, &fd), 0);
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
		assert_int_equal(eventfd_read(fd, &value), 0);
		assert_int_equal(value, THREADS * MANY);
	}
	close(fd);
}

/** No asynchronous I/O from now on, in this thread. */
static bool
forbid_aio(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(filter), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void *
without_aio(void *arg)
{
	int good = eventfd(0, EFD_CLOEXEC), full = eventfd(0, EFD_CLOEXEC);
	eventfd_t value = 0;
	bool *passed = arg;

	eventfd_write(full, UINT64_MAX - 1);
	*passed = forbid_aio() && call_send(good) && call_send(good) &&
		  eventfd_read(good, &value) == 0 && value == 2 && !call_send(full);
	close(good);
	close(full);
	return NULL;
}

/* Where the system has none, the other way is taken. */
static void
test_without_aio(void **state)
{
	pthread_t thread;
	bool passed = false;

	(void)state;
	alarm(STUCK_SECONDS);
	assert_int_equal(pthread_create(&thread, NULL, without_aio, &passed), 0);
	pthread_join(thread, NULL);
	alarm(0);
	assert_true(passed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_without_aio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
