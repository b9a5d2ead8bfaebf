/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A switch that is killed at any instruction: a child process moves frames from one ring to another
 * in single steps, and after each step that another process could observe, the rings are resumed by
 * their journals. No frame may arrive twice, and no buffer may be lost.
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring_help.h"

enum {
	BURST = 5,
	FRAMES = 12,
	LEN = 100,
	HEADER = 12,
	RX_MAX = 32,
	SPACE = 256,
	AREAS = 8,
	TWICE_EVERY = 29, /* states in which a second process is killed as well */
	TX_AT = 0,
	RX_AT = 1 << 20,
};

/** Parameters of the rings. */
struct scene {
	bool packed;
	unsigned parts;    /**< descriptors of a frame sent */
	uint32_t rx_space; /**< bytes of a receive buffer */
	unsigned rx_parts;
	uint16_t tx_size, rx_size;
	uint16_t tx_first, rx_first;
};

/** Memory that outlives the process. */
struct area {
	uint8_t *at;
	size_t len;
};

/** A copy of that memory. */
struct snapshot {
	uint8_t bytes[1 << 15];
};

static struct ring_guest guest;
static struct ring_driver from, to;
static struct virtq_journal *journals;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST], *list[FRAME_BURST];
static struct area areas[AREAS];
static unsigned n_areas, n_checked;

static void
area_add(void *at, size_t len)
{
	areas[n_areas++] = (struct area){at, len};
}

static void
areas_save(struct snapshot *snapshot)
{
	uint8_t *to_here = snapshot->bytes;

	for (unsigned i = 0; i < n_areas; to_here += areas[i++].len)
		memcpy(to_here, areas[i].at, areas[i].len);
}

static void
areas_restore(const struct snapshot *snapshot)
{
	const uint8_t *here = snapshot->bytes;

	for (unsigned i = 0; i < n_areas; here += areas[i++].len)
		memcpy(areas[i].at, here, areas[i].len);
}

static bool
areas_changed(const struct snapshot *snapshot)
{
	const uint8_t *here = snapshot->bytes;

	for (unsigned i = 0; i < n_areas; here += areas[i++].len)
		if (memcmp(areas[i].at, here, areas[i].len) != 0)
			return true;
	return false;
}

static void
areas_of(const struct ring_driver *driver)
{
	area_add(driver->desc, driver->size * 16U);
	if (!driver->packed)
		area_add(driver->used, 4 + driver->size * 8U);
}

/** Frame `number`, in as many descriptors as the scene has. */
static void
send_frame(const struct scene *scene, uint32_t number)
{
	uint64_t addr = RING_LOW + TX_AT + number * (uint64_t)SPACE;
	uint8_t bytes[HEADER + LEN] = {0};
	struct ring_part parts[3];
	uint32_t at = 0;

	ring_pattern(bytes + HEADER, LEN, number);
	bytes[HEADER] = (uint8_t)number;
	ring_write(&guest, addr, bytes, sizeof(bytes));
	for (unsigned i = 0; i < scene->parts; i++) {
		uint32_t len = i + 1 < scene->parts ? 30 : (uint32_t)sizeof(bytes) - at;
		parts[i] = (struct ring_part){addr + at, len, 0};
		at += len;
	}
	ring_add(&from, parts, scene->parts);
}

static void
post_buffer(const struct scene *scene, uint32_t number)
{
	uint64_t addr = RING_LOW + RX_AT + number * (uint64_t)SPACE;
	uint32_t half = scene->rx_space / 2;
	const struct ring_part one = {addr, scene->rx_space, VRING_DESC_F_WRITE};
	const struct ring_part two[] = {
		{addr, half, VRING_DESC_F_WRITE},
		{addr + half, scene->rx_space - half, VRING_DESC_F_WRITE},
	};

	if (scene->rx_parts == 1)
		ring_add(&to, &one, 1);
	else
		ring_add(&to, two, 2);
}

static void
scene_start(const struct scene *scene)
{
	ring_guest_start(&guest);
	ring_start(&from, &guest, 0,
		&(struct ring_options){.packed = scene->packed,
			.size = scene->tx_size,
			.first = scene->tx_first,
			.journal = &journals[0]});
	ring_start(&to, &guest, 1,
		&(struct ring_options){.packed = scene->packed,
			.size = scene->rx_size,
			.first = scene->rx_first,
			.mergeable = true,
			.journal = &journals[1]});
	unsigned rx = scene->rx_size / scene->rx_parts;
	for (uint32_t i = 0; i < rx && i < RX_MAX; i++)
		post_buffer(scene, i);
	for (uint32_t i = 0; i < FRAMES; i++)
		send_frame(scene, i);
	n_areas = 0;
	areas_of(&from);
	areas_of(&to);
	area_add(journals, 2 * sizeof(*journals));
	area_add(ring_at(&guest, RING_LOW + RX_AT), RX_MAX * (size_t)SPACE);
}

static void
scene_stop(void)
{
	ring_stop(&from);
	ring_stop(&to);
	ring_guest_stop(&guest);
}

/** Move all frames available. @return frames moved */
static unsigned
move(struct ring_driver *source, struct ring_driver *sink)
{
	struct virtq_result result;
	unsigned moved = 0;
	uint64_t bad = 0;
	uint16_t n;

	while ((n = virtq_pop(&source->ring, batch, frames, BURST, &bad)) > 0) {
		moved += virtq_push(&sink->ring, list, n, &result);
		virtq_pop_done(&source->ring, batch);
	}
	return moved;
}

/**
 * The position given by a front end that does not know the base: that of the start, or the used
 * index.
 */
static void
reconnect(struct ring_driver *driver, bool popped)
{
	struct virtq_setup setup = driver->setup;

	if (!driver->packed)
		setup.last_avail = setup.last_used = driver->used->idx;
	assert_int_equal(virtq_resume(&setup, popped, false), VIRTQ_GOOD);
	assert_int_equal(virtq_init(&driver->ring, &setup), 0);
}

/** Take one frame. @return its number; negative when there is none */
static int
receive(struct ring_driver *sink)
{
	uint8_t bytes[HEADER + LEN + SPACE], want[LEN];
	struct vring_used_elem entry;
	uint16_t buffers = 1;
	uint32_t at = 0;

	for (uint16_t i = 0; i < buffers; i++) {
		if (!ring_used(sink, &entry)) {
			assert_int_equal(i, 0);
			return -1;
		}
		assert_uint_in_range(entry.len, 1, SPACE);
		assert_true(at + entry.len <= HEADER + LEN);
		ring_read(&guest, sink->addr[entry.id], bytes + at, entry.len);
		at += entry.len;
		memcpy(&buffers, bytes + 10, sizeof(buffers));
	}
	assert_int_equal(at, HEADER + LEN);
	ring_pattern(want, LEN, bytes[HEADER]);
	want[0] = bytes[HEADER];
	assert_memory_equal(bytes + HEADER, want, LEN);
	return bytes[HEADER];
}

/** The process has ended here: resume the rings. @return frames that were lost */
static unsigned
expect_resumed(void)
{
	struct ring_driver source = from, sink = to;
	int last = -1, number;
	unsigned received = 0;

	reconnect(&source, true);
	reconnect(&sink, false);
	move(&source, &sink);
	for (; (number = receive(&sink)) >= 0; received++) {
		assert_uint_in_range(number, last + 1, FRAMES - 1);
		last = number;
	}
	ring_reclaim(&source);
	assert_int_equal(source.used_seen, source.avail_next);
	if (!sink.packed)
		return FRAMES - received;
	assert_int_equal(sink.ring.last_used, ring_idx_wrap(&sink, sink.descs_used));
	assert_int_equal(source.ring.last_used, ring_idx_wrap(&source, source.descs_used));
	return FRAMES - received;
}

/** Run a function in a child, and check each state of memory that it leaves. */
static void
step(void (*work)(void), void (*look)(void))
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	int status;

	areas_save(snapshot);
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status)) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!areas_changed(snapshot))
			continue;
		areas_save(snapshot);
		look();
		areas_restore(snapshot);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	free(snapshot);
}

static void
look_resumed(void)
{
	n_checked++;
	assert_uint_in_range(expect_resumed(), 0, BURST);
}

static void
work_resume(void)
{
	reconnect(&from, true);
	reconnect(&to, false);
}

/** The next process ends while it resumes the rings, or after that. */
static void
look_twice(void)
{
	if (n_checked++ % TWICE_EVERY == 0)
		step(work_resume, look_resumed);
}

static void
work_move(void)
{
	if (move(&from, &to) != FRAMES)
		_exit(1);
}

static const struct scene scenes[] = {
	/* Single descriptors; packed rings across their ends in either round. */
	{false, 1, 200, 1, 16, 32, 5, 65530},
	{true, 1, 200, 1, 16, 32, 0, 0},
	{true, 1, 200, 1, 15, 17, 9, 12},
	{true, 1, 200, 1, 13, 14, 17, 20},
	/* Chains to read, frames over several buffers. */
	{false, 3, 60, 1, 64, 32, 60, 5},
	{true, 3, 60, 1, 40, 32, 30, 25},
	{true, 2, 60, 1, 25, 31, 20, 50},
	/* Chains to write. */
	{true, 1, 200, 2, 12, 31, 23, 29},
};

static int
setup(void **state)
{
	(void)state;
	batch = aligned_alloc(64, sizeof(*batch));
	journals = mmap(NULL, 2 * sizeof(*journals), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < FRAME_BURST; i++)
		list[i] = &frames[i];
	return journals != MAP_FAILED && batch != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	munmap(journals, 2 * sizeof(*journals));
	free(batch);
	return 0;
}

/* Killed at any instruction. */
static void
test_killed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(scenes); i++) {
		scene_start(&scenes[i]);
		n_checked = 0;
		step(work_move, look_resumed);
		/* Each frame is at least copied, used, and returned. */
		assert_uint_in_range(n_checked, 2 * FRAMES, UINT32_MAX);
		assert_int_equal(expect_resumed(), 0);
		scene_stop();
	}
}

/* Killed at any instruction, and the next process at any instruction until frames move again. */
static void
test_killed_twice(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* instrumented code takes many times the steps, and its order of stores is the same */
#endif
	for (unsigned i = 0; i < COUNT(scenes); i++) {
		scene_start(&scenes[i]);
		step(work_move, look_twice);
		scene_stop();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
