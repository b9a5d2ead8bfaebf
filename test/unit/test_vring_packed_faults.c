/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests that violate the rules of a packed ring: that ring is broken, and no other. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum { WATCHED = 1 << 16, FRAME_LEN = 300, SIZE = 50, TABLE = 32768 };

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver, other;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];
static uint8_t bytes[FRAME_LEN];
static bool writable; /**< the direction of the ring */

static uint16_t
flag(void)
{
	return writable ? VRING_DESC_F_WRITE : 0;
}

/** The position of a fault, and the descriptors of the chain with the fault. */
struct fault {
	enum virtq_fault fault;
	bool in_only;
	unsigned n;
	struct ring_part parts[4]; /**< WRITE in flags inverts the direction */
};

static const struct fault faults[] = {
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_NONE, 100, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_LOW - 1, 100, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{UINT64_MAX - 10, 100, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_HIGH + RING_REGION_SIZE - 1000, 1001, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_LOW, UINT32_MAX, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_NONE, 0, 0}}},
	{VIRTQ_BAD_ADDRESS, false, 3, {{RING_LOW, 100, 0}, {RING_NONE, 0, 0}, {RING_LOW, 900, 0}}},
	{VIRTQ_BAD_DIRECTION, false, 1, {{RING_LOW, 1000, VRING_DESC_F_WRITE}}},
	{VIRTQ_BAD_DIRECTION, false, 2, {{RING_LOW, 9, 0}, {RING_LOW, 900, VRING_DESC_F_WRITE}}},
	{VIRTQ_BAD_INDIRECT, false, 1, {{RING_LOW + TABLE, 0, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_INDIRECT, false, 1, {{RING_LOW + TABLE, 24, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_INDIRECT, false, 1, {{RING_LOW + TABLE, 15, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_INDIRECT, false, 1, {{RING_LOW + TABLE, 16 * SIZE + 16, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_INDIRECT, false, 1,
		{{RING_LOW + TABLE, UINT32_MAX - 15, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_HIGH - 16, 32, VRING_DESC_F_INDIRECT}}},
	{VIRTQ_BAD_ADDRESS, false, 1, {{RING_NONE, 32, VRING_DESC_F_INDIRECT}}},
	/* A chain with both directions, in either order. */
	{VIRTQ_BAD_INDIRECT, false, 2,
		{{RING_LOW + TABLE, 32, VRING_DESC_F_INDIRECT}, {RING_LOW, 900, 0}}},
	{VIRTQ_BAD_INDIRECT, false, 2,
		{{RING_LOW, 100, 0}, {RING_LOW + TABLE, 32, VRING_DESC_F_INDIRECT}}},
	/* Faults in a table: see test_table(). */
	{VIRTQ_BAD_RX_BUFFER, true, 1, {{RING_LOW, 11, 0}}},
	{VIRTQ_BAD_RX_BUFFER, true, 1, {{RING_LOW, 0, 0}}},
	{VIRTQ_BAD_RX_BUFFER, true, 3, {{RING_LOW, 5, 0}, {RING_LOW, 0, 0}, {RING_LOW, 6, 0}}},
};

static int
setup(void **state)
{
	(void)state;
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_guest_stop(&guest);
	free(batch);
	return 0;
}

static uint16_t
pop(struct ring_driver *from)
{
	uint64_t bad = 0;
	uint16_t n = virtq_pop(&from->ring, batch, frames, FRAME_BURST, &bad);

	assert_int_equal(bad, 0);
	virtq_pop_done(&from->ring, batch);
	return n;
}

static uint16_t
push(struct ring_driver *to, uint16_t n)
{
	const struct frame_segment segment = {bytes, FRAME_LEN};
	struct frame frame = {.segment = &segment,
		.segments = 1,
		.head = bytes,
		.head_len = VIRTQ_HEAD,
		.len = FRAME_LEN};
	struct frame *list[FRAME_BURST];
	struct virtq_result result;

	for (uint16_t i = 0; i < n; i++)
		list[i] = &frame;
	uint16_t done = virtq_push(&to->ring, list, n, &result);
	assert_int_equal(__builtin_popcount(result.too_long), 0);
	assert_int_equal(result.sent, done);
	assert_int_equal(result.bytes, done * FRAME_LEN);
	return done;
}

static void
start(struct ring_driver *one, unsigned slot, bool mergeable)
{
	ring_start(one, &guest, slot,
		&(struct ring_options){.ops = ops,
			.packed = true,
			.size = SIZE,
			.first = SIZE - 3,
			.mergeable = mergeable});
}

/** Good buffers before and after, at addresses that are not compared. */
static void
add_good(struct ring_driver *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_add(to,
			&(struct ring_part){
				RING_LOW + (1 << 20) + i * 4096, 12 + FRAME_LEN, flag()},
			1);
}

static void
add_good_tables(struct ring_driver *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_add_indirect(to, RING_LOW + (2 << 20) + i * 64,
			&(struct ring_part){
				RING_LOW + (1 << 20) + i * 4096, 12 + FRAME_LEN, flag()},
			1);
}

/** Check that a chain broke the ring after this number of good ones. */
static void
expect_broken(const char *name, unsigned which, enum virtq_fault fault, unsigned before)
{
	struct vring_used_elem entry;
	uint64_t digest = ring_digest(&guest, WATCHED);
	uint16_t n = writable ? push(&driver, 10) : pop(&driver);

	if (driver.ring.broken != (int)fault)
		fail_msg("%s %u: '%s' instead of '%s'", name, which,
			virtq_fault_text((enum virtq_fault)driver.ring.broken),
			virtq_fault_text(fault));
	/* The buffers before the fault are used and returned, no other is. */
	assert_int_equal(n, before);
	assert_int_equal(driver.ring.last_used, ring_idx_wrap(&driver, SIZE - 3 + before));
	assert_int_equal(driver.ring.last_avail, ring_idx_wrap(&driver, SIZE - 3 + before));
	for (unsigned j = 0; j < before; j++)
		assert_true(ring_used(&driver, &entry));
	assert_false(ring_used(&driver, &entry));
	assert_true(ring_digest(&guest, WATCHED) == digest);
	/* The ring stays broken, even if the guest writes valid descriptors. */
	struct virtq_packed_desc *desc = &driver.packed_desc[(SIZE - 3 + before) % SIZE];
	desc->addr = RING_LOW;
	desc->len = 1000;
	desc->flags = (uint16_t)((desc->flags & 0x8080) | flag());
	assert_int_equal(writable ? push(&driver, 1) : pop(&driver), 0);
	assert_int_equal(driver.ring.broken, fault);
	/* Another ring of the guest continues. */
	add_good(&other, 3);
	assert_int_equal(writable ? push(&other, 3) : pop(&other), 3);
	assert_int_equal(other.ring.broken, VIRTQ_GOOD);
}

static void
run_fault(unsigned i, unsigned before, bool mergeable)
{
	struct ring_part parts[4];

	start(&driver, 0, mergeable);
	start(&other, 1, mergeable);
	add_good(&driver, before);
	for (unsigned j = 0; j < faults[i].n; j++) {
		parts[j] = faults[i].parts[j];
		parts[j].flags ^= flag();
	}
	ring_add(&driver, parts, faults[i].n);
	add_good(&driver, 2);
	expect_broken("fault", i, faults[i].fault, before);
	ring_stop(&driver);
	ring_stop(&other);
}

static void
run_all(bool direction)
{
	writable = direction;
	for (unsigned i = 0; i < COUNT(faults); i++)
		for (unsigned before = 0; before < 5 && (direction || !faults[i].in_only);
			before += 2) {
			run_fault(i, before, false);
			run_fault(i, before, true);
		}
}

static void
test_pop(void **state)
{
	(void)state;
	run_all(false);
}

static void
test_push(void **state)
{
	(void)state;
	run_all(true);
}

/* A chain without an end, of empty buffers or not; or longer than the rest of the ring. */
static void
test_endless(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		unsigned before = i / 4 % 3 * 2;
		writable = i % 2;
		start(&driver, 0, false);
		start(&other, 1, false);
		/* Popped one by one, or all at once. */
		if (i % 4 < 2)
			add_good(&driver, before);
		else
			add_good_tables(&driver, before);
		for (unsigned j = 0; j < SIZE; j++) {
			uint32_t count = SIZE - 3 + before + j;
			bool last = i >= 12 && before > 0 && j == SIZE - before;
			driver.packed_desc[count % SIZE] = (struct virtq_packed_desc){
				.addr = RING_LOW,
				.len = i / 2 % 2,
				.flags =
					(uint16_t)((last ? 0 : VRING_DESC_F_NEXT) | flag() |
						   (ring_idx_wrap(&driver, count) >> 15 ? 0x80
											: 0x8000))};
			if (j + 1 == SIZE - before)
				break;
		}
		expect_broken("endless", i, VIRTQ_BAD_CHAIN, before);
		ring_stop(&driver);
		ring_stop(&other);
	}
}

/* The entries of a table are checked like any descriptors. */
static void
test_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(faults); i++) {
		struct ring_part parts[4];
		bool plain = true;
		for (unsigned j = 0; j < faults[i].n; j++)
			plain = plain && (faults[i].parts[j].flags & VRING_DESC_F_INDIRECT) == 0;
		for (unsigned way = 0; plain && way < 2; way++) {
			writable = way == 1;
			if (faults[i].in_only && !writable)
				continue;
			start(&driver, 0, false);
			start(&other, 1, false);
			for (unsigned j = 0; j < faults[i].n; j++) {
				parts[j] = faults[i].parts[j];
				parts[j].flags ^= flag();
			}
			ring_add_indirect(&driver, RING_LOW + TABLE, parts, faults[i].n);
			expect_broken("table", i, faults[i].fault, 0);
			ring_stop(&driver);
			ring_stop(&other);
		}
	}
}

/* A frame that needs several buffers, of which a later one is bad: the first is not used either. */
static void
test_push_merging(void **state)
{
	(void)state;
	writable = true;
	start(&driver, 0, true);
	start(&other, 1, true);
	ring_add(&driver, &(struct ring_part){RING_LOW, 100, flag()}, 1);
	ring_add(&driver, &(struct ring_part){RING_LOW + 4096, 100, flag()}, 1);
	ring_add(&driver, &(struct ring_part){RING_NONE, 1000, flag()}, 1);
	expect_broken("merging", 0, VIRTQ_BAD_ADDRESS, 0);
	ring_stop(&driver);
	ring_stop(&other);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push_merging, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
