/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains of more descriptors than are read, which a larger ring permits. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum { PARTS = 300, PART = 10, LOOKED_AT = 256, HEADER = 12, SPACE = LOOKED_AT * PART };

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver;
static struct ring_part parts[PARTS];
static uint8_t bytes[SPACE], seen[SPACE];

static int
setup(void **state)
{
	(void)state;
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .size = 512});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_stop(&driver);
	ring_guest_stop(&guest);
	return 0;
}

static void
add(uint64_t at, uint16_t flags, bool indirect)
{
	for (unsigned i = 0; i < PARTS; i++)
		parts[i] = (struct ring_part){at + i * PART, PART, flags};
	if (indirect)
		ring_add_indirect(&driver, RING_LOW + 3, parts, PARTS);
	else
		ring_add(&driver, parts, PARTS);
}

/** Push a frame of `len` bytes. @return whether it is in the ring; otherwise it is too long */
static bool
push(uint32_t len)
{
	const struct frame_segment segment = {bytes, len};
	struct frame frame = {.segment = &segment,
		.segments = 1,
		.head = bytes,
		.head_len = VIRTQ_HEAD,
		.len = len};
	struct frame *frames[] = {&frame};
	struct virtq_result result;

	ring_pattern(bytes, len, len);
	assert_int_equal(virtq_push(&driver.ring, frames, 1, &result), 1);
	assert_int_equal(result.sent + __builtin_popcount(result.too_long), 1);
	return result.sent == 1;
}

static void
expect_frame(uint64_t at, uint16_t head)
{
	struct vring_used_elem entry;

	assert_true(ring_used(&driver, &entry));
	assert_int_equal(entry.id, head);
	assert_int_equal(entry.len, SPACE);
	ring_read(&guest, at + HEADER, seen, SPACE - HEADER);
	assert_memory_equal(seen, bytes, SPACE - HEADER);
	ring_read(&guest, at + SPACE, seen, 1);
	assert_int_equal(seen[0], 0);
}

/* Receive ring: the first buffers are used, and the whole chain is returned. */
static void
test_receive(void **state)
{
	const uint64_t at[] = {RING_LOW + 65536, RING_HIGH + 65536};
	struct vring_used_elem entry;

	(void)state;
	for (unsigned i = 0; i < COUNT(at); i++) {
		add(at[i], VRING_DESC_F_WRITE, i == 1);
		assert_false(push(SPACE - HEADER + 1));
		assert_false(ring_used(&driver, &entry));
		assert_true(push(SPACE - HEADER));
		expect_frame(at[i], i == 1 ? PARTS : 0);
	}
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
}

/* Transmit ring: the chains are no frames, and are returned. */
static void
test_send(void **state)
{
	static struct virtq_batch batch;
	struct frame frames[FRAME_BURST];
	struct vring_used_elem entry;
	uint64_t bad = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		add(RING_LOW + 65536, 0, i == 1);
		assert_int_equal(virtq_pop(&driver.ring, &batch, frames, FRAME_BURST, &bad), 0);
		virtq_pop_done(&driver.ring, &batch);
		assert_int_equal(bad, i + 1);
		assert_true(ring_used(&driver, &entry));
	}
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_receive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
