/* SPDX-License-Identifier: BSD-3-Clause */
/* File descriptors of drivers in the loop of the control thread. */
#include "unit.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "control/vswitch.h"

static struct vswitch vswitch;
static const struct port_services services = {
	.watch = vswitch_watch, .unwatch = vswitch_unwatch, .arg = &vswitch};

/** A driver's side: counts calls, reads a byte each, and may end its watch. */
struct reader {
	int fd[2];
	struct port_watch *watch;
	unsigned calls, events;
	unsigned left; /**< calls until the watch ends; 0 = never */
};

static void
reader_ready(void *arg, unsigned events)
{
	struct reader *reader = arg;
	char byte;

	reader->calls++;
	reader->events = events;
	if (events & PORT_WATCH_READ)
		assert_int_equal(read(reader->fd[0], &byte, 1), 1);
	if (reader->left > 0 && --reader->left == 0) {
		services.unwatch(reader->watch);
		reader->watch = NULL;
	}
}

static void
reader_open(struct reader *reader, unsigned events)
{
	*reader = (struct reader){.calls = 0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, reader->fd), 0);
	reader->watch = services.watch(services.arg, reader->fd[0], events, reader_ready, reader);
	assert_non_null(reader->watch);
}

static void
reader_close(struct reader *reader)
{
	services.unwatch(reader->watch);
	close(reader->fd[0]);
	close(reader->fd[1]);
}

/** Run the loop `times` times, without waiting. */
static void
loop(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		event_base_loop(vswitch.events, EVLOOP_NONBLOCK | EVLOOP_ONCE);
}

static int
setup(void **state)
{
	(void)state;
	vswitch.events = event_base_new();
	return vswitch.events == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	event_base_free(vswitch.events);
	return 0;
}

/** The function is called as often as there is something to read, and for that descriptor only. */
static void
test_readable(void **state)
{
	struct reader one, other;

	(void)state;
	reader_open(&one, PORT_WATCH_READ);
	reader_open(&other, PORT_WATCH_READ);
	loop(3);
	assert_int_equal(one.calls + other.calls, 0);
	assert_int_equal(write(one.fd[1], "abc", 3), 3);
	loop(5);
	assert_int_equal(one.calls, 3);
	assert_int_equal(one.events, PORT_WATCH_READ);
	assert_int_equal(other.calls, 0);
	assert_int_equal(write(other.fd[1], "d", 1), 1);
	loop(2);
	assert_int_equal(other.calls, 1);
	reader_close(&one);
	reader_close(&other);
}

static void
test_writable(void **state)
{
	struct reader reader;

	(void)state;
	reader_open(&reader, PORT_WATCH_READ | PORT_WATCH_WRITE);
	loop(1);
	assert_int_equal(reader.calls, 1);
	assert_int_equal(reader.events, PORT_WATCH_WRITE);
	assert_int_equal(write(reader.fd[1], "a", 1), 1);
	loop(1);
	assert_int_equal(reader.events, PORT_WATCH_READ | PORT_WATCH_WRITE);
	reader_close(&reader);
}

/** No call after the end of the watch, which the function itself may cause. */
static void
test_unwatch(void **state)
{
	struct reader reader;

	(void)state;
	reader_open(&reader, PORT_WATCH_READ);
	reader.left = 2;
	assert_int_equal(write(reader.fd[1], "abcd", 4), 4);
	loop(5);
	assert_int_equal(reader.calls, 2);
	assert_null(reader.watch);
	reader_close(&reader);
	services.unwatch(NULL);
}

/** A file in memory is always ready; the kernel cannot watch it. */
static void
test_refused(void **state)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_null(services.watch(services.arg, fd, PORT_WATCH_READ, reader_ready, NULL));
	close(fd);
}

#define watch_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		watch_test(test_readable),
		watch_test(test_writable),
		watch_test(test_unwatch),
		watch_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
