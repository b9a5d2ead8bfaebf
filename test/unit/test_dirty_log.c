/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty log: guest memory before and after an operation of the device side is compared byte by byte,
 * and each byte that differs must lie in a reported range. Each operation is done twice, with buffers
 * filled with zeros and with ones, so that every byte written differs in one of them.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "eal_fixture.h"
#include "ring_help.h"

enum {
	BUFFERS = 64 << 10, /* bytes from RING_BORDER - BUFFERS on that hold buffers, twice that */
	STEP = 4096,
	SLOTS = 2 * BUFFERS / STEP,
	LENGTH_MAX = 9000,
	RANGES_MAX = 1024,
};

#define RING_BORDER RING_HIGH

static const uint64_t region_at[RING_REGIONS] = {RING_LOW, RING_HIGH, RING_TABLE};

/** The ranges reported. */
static struct {
	struct dirty_log log;
	unsigned n;
	uint64_t buffers; /**< bytes reported in the regions of buffers */
	uint8_t *dirty[RING_REGIONS];
} ledger;

/** An operation and its ring. */
struct operation {
	const char *what;
	struct ring_options options;
	void (*prepare)(void); /**< makes descriptors available */
	uint64_t (*run)(void); /**< @return bytes written to buffers */
};

static const struct virtq_ops *ops;
static bool packed;
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_journal journal;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST], *list[FRAME_BURST];
static struct frame_segment segments[FRAME_BURST];
static struct inflight *inflight;
static struct inflight_slot *slot;
static uint8_t bytes[LENGTH_MAX], *before[RING_REGIONS];

static void
ledger_mark(struct dirty_log *log, uint64_t gpa, uint32_t length)
{
	assert_ptr_equal(log, &ledger.log);
	assert_uint_in_range(length, 1, RING_REGION_SIZE);
	for (unsigned i = 0; i < RING_REGIONS; i++) {
		uint64_t offset = gpa - region_at[i];
		if (offset >= RING_REGION_SIZE)
			continue;
		assert_true(length <= RING_REGION_SIZE - offset);
		memset(ledger.dirty[i] + offset, 1, length);
		ledger.buffers += i < RING_REGIONS - 1 ? length : 0;
		ledger.n++;
		return;
	}
	fail_msg("0x%lx is not guest memory", (unsigned long)gpa);
}

static void
ledger_check(const char *what)
{
	for (unsigned i = 0; i < RING_REGIONS; i++) {
		const uint8_t *now = ring_at(&guest, region_at[i]);
		for (uint32_t at = 0; at < RING_REGION_SIZE; at++)
			if (now[at] != before[i][at] && !ledger.dirty[i][at])
				fail_msg("%s: the byte at 0x%lx is written and not reported", what,
					(unsigned long)(region_at[i] + at));
	}
}

static void
remember(void)
{
	ledger.n = 0;
	ledger.buffers = 0;
	for (unsigned i = 0; i < RING_REGIONS; i++) {
		memcpy(before[i], ring_at(&guest, region_at[i]), RING_REGION_SIZE);
		memset(ledger.dirty[i], 0, RING_REGION_SIZE);
	}
}

static void
run(const struct operation *operation)
{
	static const uint8_t fills[] = {0, 0xff};
	struct ring_options options = operation->options;

	options.dirty_log = &ledger.log;
	for (unsigned i = 0; i < COUNT(fills); i++) {
		ring_restart(&driver, ops, packed, &options);
		ring_fill(&guest, RING_BORDER - BUFFERS, fills[i], 2 * BUFFERS);
		if (!packed)
			memset(driver.used->ring, fills[i],
				driver.size * sizeof(*driver.used->ring));
		operation->prepare();
		remember();
		uint64_t written = operation->run();
		ledger_check(operation->what);
		assert_int_equal(ledger.buffers, written);
		assert_true(ledger.n > 0);
	}
}

/** Frames of growing length. */
static void
make_frames(uint16_t n, uint32_t len, uint32_t more)
{
	for (uint16_t i = 0; i < n; i++, len += more) {
		segments[i] = (struct frame_segment){bytes, len};
		frames[i] = (struct frame){.head = bytes,
			.head_len = (uint16_t)(len < VIRTQ_HEAD ? len : VIRTQ_HEAD),
			.len = len,
			.segment = &segments[i],
			.segments = 1};
		list[i] = &frames[i];
	}
}

/** Push frames, all of which fit buffers. */
static uint64_t
push(uint16_t n)
{
	struct virtq_result result;

	assert_int_equal(virtq_push(&driver.ring, list, n, &result), n);
	assert_int_equal(result.sent, n);
	return result.bytes + (uint64_t)n * driver.ring.header_len;
}

static void
add(unsigned n, uint32_t len, uint16_t flags)
{
	for (unsigned i = 0; i < n; i++)
		ring_add(&driver,
			&(struct ring_part){RING_BORDER - BUFFERS + i % SLOTS * STEP, len, flags},
			1);
}

static void
prepare_writable(void)
{
	add(driver.size < FRAME_BURST ? driver.size : FRAME_BURST, 2000, VRING_DESC_F_WRITE);
}

static void
prepare_small(void)
{
	add(FRAME_BURST, 1500, VRING_DESC_F_WRITE);
}

/** A chain over the border of two regions. @param table of indirect descriptors; 0 = none */
static void
add_chain(uint64_t table)
{
	const struct ring_part parts[] = {{RING_BORDER - STEP, 5, VRING_DESC_F_WRITE},
		{RING_BORDER - 100, 300, VRING_DESC_F_WRITE},
		{RING_BORDER + STEP, 2000, VRING_DESC_F_WRITE}};

	if (table != 0)
		ring_add_indirect(&driver, table, parts, COUNT(parts));
	else
		ring_add(&driver, parts, COUNT(parts));
}

static void
prepare_chains(void)
{
	add_chain(0);
	add_chain(RING_LOW);
	add(1, 2000, VRING_DESC_F_WRITE);
}

static uint64_t
push_burst(void)
{
	make_frames(FRAME_BURST, 60, 45);
	return push(driver.size < FRAME_BURST ? driver.size : FRAME_BURST);
}

static uint64_t
push_chains(void)
{
	make_frames(3, 1000, 1);
	return push(3);
}

/** A frame that fits one buffer, one over several, and another that fits one. */
static uint64_t
push_merging(void)
{
	make_frames(3, 1000, 0);
	segments[1].len = frames[1].len = LENGTH_MAX;
	return push(3) - 2 * driver.ring.header_len + 2 * VIRTQ_HEADER_MAX;
}

static void
pop(uint16_t n)
{
	uint64_t bad = 0;

	add(n, 100, 0);
	for (unsigned i = 0; i < n; i++)
		ring_fill(&guest, RING_BORDER - BUFFERS + i * STEP, 0, VIRTQ_HEADER_MAX);
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), n);
}

static void
prepare_popped(void)
{
	pop(20);
}

static uint64_t
pop_done(void)
{
	virtq_pop_done(&driver.ring, batch);
	return 0;
}

/** The process ended before it returned the buffers that it had popped. */
static uint64_t
resume(void)
{
	struct virtq_setup setup = driver.setup;

	assert_int_equal(virtq_resume(&setup, true, false), VIRTQ_GOOD);
	assert_int_equal(setup.last_used,
		packed ? ring_idx_wrap(&driver, driver.descs_avail) : driver.avail_next);
	return 0;
}

/** A frame of a split ring is in flight, and the buffers behind it wait for it. */
static void
prepare_inflight(void)
{
	driver.ring.inflight = inflight = inflight_create(driver.size);
	assert_non_null(inflight);
	prepare_popped();
	slot = inflight_take(inflight, 0);
	virtq_pop_done(&driver.ring, batch);
}

/** So many buffers wait that they are returned before it: the end of the ring returns it. */
static void
prepare_late(void)
{
	prepare_inflight();
	pop(20);
	virtq_pop_done(&driver.ring, batch);
}

static uint64_t
reclaim(void)
{
	inflight_release(slot);
	virtq_reclaim(&driver.ring, NULL);
	assert_false(virtq_has_inflight(&driver.ring));
	inflight_destroy(inflight);
	return 0;
}

static uint64_t
pop_end(void)
{
	virtq_pop_end(&driver.ring);
	inflight_release(slot);
	inflight_destroy(inflight);
	return 0;
}

static uint64_t
suppress_kicks(void)
{
	virtq_suppress_kicks(&driver.ring);
	return 0;
}

static void
prepare_nothing(void)
{
}

static void
test_push(void **state)
{
	static const struct operation operations[] = {
		{"burst", {.size = 64}, prepare_writable, push_burst},
		{"across the end", {.size = 64, .first = 50}, prepare_writable, push_burst},
		{"all of the ring", {.size = 16, .first = 9}, prepare_writable, push_burst},
		{"short headers", {.short_header = true}, prepare_writable, push_burst},
		{"chains", {.first = 250}, prepare_chains, push_chains},
		{"merging", {.size = 64, .mergeable = true}, prepare_small, push_merging},
		{"merging, across the end", {.size = 64, .first = 60, .mergeable = true},
			prepare_small, push_merging},
		{"journal", {.first = 3, .mergeable = true, .journal = &journal}, prepare_small,
			push_merging},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(operations); i++)
		run(&operations[i]);
}

static void
test_pop(void **state)
{
	static const struct operation operations[] = {
		{"popped", {.size = 64}, prepare_popped, pop_done},
		{"popped, across the end", {.size = 64, .first = 60}, prepare_popped, pop_done},
		{"resumed", {.size = 64, .first = 50, .journal = &journal}, prepare_popped, resume},
		{"kicks", {.size = 64}, prepare_nothing, suppress_kicks},
		{"kicks by index", {.size = 64, .first = 7, .event_idx = true}, prepare_nothing,
			suppress_kicks},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(operations); i++)
		run(&operations[i]);
}

static void
test_inflight(void **state)
{
	static const struct operation operations[] = {
		{"reclaimed", {.size = 64, .first = 50}, prepare_inflight, reclaim},
		{"late, ended", {.size = 64, .first = 50}, prepare_late, pop_end},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(operations) && !packed; i++)
		run(&operations[i]);
}

static int
setup(void **state)
{
	(void)state;
	ledger.log.mark = ledger_mark;
	ring_pattern(bytes, sizeof(bytes), 1);
	batch = aligned_alloc(64, sizeof(*batch));
	for (unsigned i = 0; i < RING_REGIONS; i++) {
		ledger.dirty[i] = malloc(RING_REGION_SIZE);
		before[i] = malloc(RING_REGION_SIZE);
	}
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.size = 0});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_stop(&driver);
	ring_guest_stop(&guest);
	for (unsigned i = 0; i < RING_REGIONS; i++) {
		free(ledger.dirty[i]);
		free(before[i]);
	}
	free(batch);
	return 0;
}

int
main(void)
{
	int failed = eal_fixture_start() < 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_pop),
		cmocka_unit_test(test_inflight),
	};

	for (unsigned i = 0; failed == 0 && (ops = virtq_ops_at(i / 2)) != NULL; i++) {
		packed = i % 2 == 1;
		failed += cmocka_run_group_tests_name(
			packed ? "packed" : ops->name, tests, setup, teardown);
	}
	eal_group_teardown(NULL);
	return failed;
}
