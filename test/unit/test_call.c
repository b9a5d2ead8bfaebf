/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts through descriptors that a hostile front end manipulates: sending never blocks. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
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
		assert_true(call_send(fd, false));
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, MANY);
	close(fd);
	assert_false(call_send(fd, false));
}

/* A full eventfd in blocking mode: a write would block. */
static void
test_full(void **state)
{
	int fd = full_eventfd();

	(void)state;
	alarm(STUCK_SECONDS);
	for (unsigned i = 0; i < MANY; i++)
		call_send(fd, false);
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
	assert_false(call_send(fds[1], false));
	alarm(0);
	close(fds[0]);
	close(fds[1]);
}

/** A pair of Unix sockets that block. */
static void
socket_pair(int type, int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
}

static void
close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void
test_sockets(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	(void)state;
	for (unsigned i = 0; i < COUNT(types); i++) {
		int fds[2];
		bool socket = false;
		uint64_t value = 0;

		socket_pair(types[i], fds);
		assert_int_equal(call_check(fds[1], &socket), VIRTQ_GOOD);
		assert_true(socket);
		for (unsigned sent = 0; sent < 3; sent++)
			assert_true(call_send(fds[1], true));
		for (unsigned got = 0; got < 3; got++) {
			assert_int_equal(read(fds[0], &value, sizeof(value)), sizeof(value));
			assert_int_equal(value, 1);
		}
		assert_int_equal(recv(fds[0], &value, sizeof(value), MSG_DONTWAIT), -1);
		close_pair(fds);
	}
}

/* Unread data are whole interrupts, and there is space again once one is read. */
static void
test_full_socket(void **state)
{
	static const int flags[] = {0, O_NONBLOCK, 0};
	uint8_t bytes[4096];
	unsigned sent = 0, got = 0;
	int fds[2];
	ssize_t n;

	(void)state;
	socket_pair(SOCK_STREAM, fds);
	alarm(STUCK_SECONDS);
	while (call_send(fds[1], true))
		sent++;
	/* The front end can change the file status flags, which both descriptors share. */
	for (unsigned i = 0; i < COUNT(flags); i++) {
		assert_int_equal(fcntl(fds[1], F_SETFL, flags[i]), 0);
		assert_false(call_send(fds[1], true));
	}
	alarm(0);
	assert_true(sent > 0);
	while ((n = recv(fds[0], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		got += (unsigned)n;
	assert_int_equal(got, sent * sizeof(uint64_t));
	assert_true(call_send(fds[1], true));
	close_pair(fds);
}

/* SIGPIPE would end this test. */
static void
test_closed_peer(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	socket_pair(SOCK_STREAM, fds);
	close(fds[0]);
	assert_false(call_send(fds[1], true));
	close(fds[1]);
	assert_false(call_send(fds[1], true));
}

static int
socket_of(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void
refuses(int fd, enum virtq_fault fault)
{
	bool socket = true;

	assert_true(fd >= 0);
	assert_int_equal(call_check(fd, &socket), fault);
	assert_false(socket);
	close(fd);
}

static void
test_check(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC), fds[2];
	bool socket = true;

	(void)state;
	assert_int_equal(call_check(fd, &socket), VIRTQ_GOOD);
	assert_false(socket);
	close(fd);
	assert_int_equal(call_check(fd, &socket), VIRTQ_CALL_OTHER);
	assert_int_equal(call_check(-1, &socket), VIRTQ_CALL_OTHER);

	full_pipe(fds);
	refuses(fds[1], VIRTQ_CALL_PIPE);
	/* Refused in non-blocking mode as well: the front end can change the mode later. */
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	refuses(fds[0], VIRTQ_CALL_PIPE);
	refuses(open("/dev/null", O_RDWR | O_CLOEXEC), VIRTQ_CALL_DEVICE);
	refuses(open("/", O_RDONLY | O_CLOEXEC), VIRTQ_CALL_DIRECTORY);
	refuses(memfd_create("call", MFD_CLOEXEC), VIRTQ_CALL_FILE);
	refuses(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), VIRTQ_CALL_OTHER);
	refuses(socket_of(AF_INET), VIRTQ_CALL_SOCKET);
	refuses(socket_of(AF_NETLINK), VIRTQ_CALL_SOCKET);
}

static void *
send_many(void *arg)
{
	for (unsigned i = 0; i < MANY; i++)
		if (!call_send(*(const int *)arg, false))
			abort();
	return NULL;
}

/* Threads that start and end, each with a context of its own for asynchronous I/O. */
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

/** Forbid asynchronous I/O in this thread from now on. */
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
	*passed = forbid_aio() && call_send(good, false) && call_send(good, false) &&
		  eventfd_read(good, &value) == 0 && value == 2 && !call_send(full, false);
	close(good);
	close(full);
	return NULL;
}

/* Without asynchronous I/O in the kernel, the other method is used. */
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
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_closed_peer),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_without_aio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
