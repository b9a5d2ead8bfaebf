/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames whose descriptors a driver uses in ascending order, as most do, and exceptions among them.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum { TURN_SIZE = 64, TURN_BURSTS = 3 };

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];
static uint64_t bad;

static int
setup(void **state)
{
	(void)state;
	bad = 0;
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_stop(&driver);
	ring_guest_stop(&guest);
	free(batch);
	return 0;
}

static void
restart(const struct ring_options *options)
{
	ring_restart(&driver, ops, false, options);
}

static uint16_t
pop(void)
{
	return virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
}

/** Make a frame available in one descriptor. */
static void
offer(uint64_t addr, uint32_t len, uint32_t seed)
{
	uint32_t header_len = driver.ring.header_len;
	uint8_t bytes[128];

	ring_pattern(bytes, len, seed);
	ring_fill(&guest, addr, 0, header_len);
	ring_write(&guest, addr + header_len, bytes, len);
	ring_add(&driver, &(struct ring_part){addr, header_len + len, 0}, 1);
}

static void
expect_frame(const struct frame *frame, uint32_t len, uint32_t seed)
{
	uint8_t bytes[128], seen[128];

	ring_pattern(bytes, len, seed);
	assert_int_equal(frame->len, len);
	ring_frame_read(frame, seen);
	assert_memory_equal(seen, bytes, len);
}

static void
finish(void)
{
	assert_int_equal(batch->popped, FRAME_BURST);
	virtq_pop_done(&driver.ring, batch);
	ring_reclaim(&driver);
}

/** Offer a burst with the heads i and i + 1 exchanged, and the buffer of frame j elsewhere. */
static void
offer_out_of_order(unsigned i, unsigned j)
{
	uint16_t *heads = driver.avail->ring, first = driver.avail_next;

	for (unsigned k = 0; k < FRAME_BURST; k++)
		offer((k == j ? RING_HIGH : RING_LOW) + 4096 + k * 256, 60 + k, k);
	if (i + 1 >= FRAME_BURST)
		return;
	uint16_t *one = &heads[(uint16_t)(first + i) % TURN_SIZE];
	uint16_t *next = &heads[(uint16_t)(first + i + 1) % TURN_SIZE], head = *one;
	*one = *next;
	*next = head;
}

/* A driver may use its descriptors in any order, with buffers anywhere. */
static void
test_out_of_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FRAME_BURST; i++) {
		restart(&(struct ring_options){.size = TURN_SIZE, .first = (uint16_t)(i * 3)});
		for (unsigned burst = 0; burst < TURN_BURSTS; burst++) {
			offer_out_of_order(i, (i + burst * 7) % FRAME_BURST);
			assert_int_equal(pop(), FRAME_BURST);
			for (unsigned k = 0; k < FRAME_BURST; k++) {
				unsigned seed = i + 1 < FRAME_BURST && (k == i || k == i + 1)
							? 2 * i + 1 - k
							: k;
				expect_frame(&frames[k], 60 + seed, seed);
				assert_int_equal(frames[k].index, k);
			}
			finish();
		}
	}
	assert_int_equal(bad, 0);
}

/* Ascending heads that exceed the ring. */
static void
test_heads_beyond_ring(void **state)
{
	(void)state;
	for (uint16_t first = 9; first < 16; first++) {
		restart(&(struct ring_options){.size = 16});
		for (uint16_t i = 0; i < 16; i++)
			offer(RING_LOW + 4096 + i * 256u, 60, i);
		for (uint16_t i = 0; i < 8; i++)
			driver.avail->ring[8 + i] = first + i;
		/* The memory behind the ring holds valid descriptors. */
		memcpy(&driver.desc[16], driver.desc, 16 * sizeof(driver.desc[0]));
		assert_int_equal(pop(), 8 + 16 - first);
		assert_int_equal(driver.ring.broken, VIRTQ_BAD_HEAD);
	}
}

/* One of many in ascending order is no frame. */
static void
test_one_skipped(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < FRAME_BURST; i++) {
		restart(&(struct ring_options){.size = TURN_SIZE});
		for (uint16_t k = 0; k < FRAME_BURST; k++)
			offer(RING_LOW + 4096 + k * 256u, 60, k);
		driver.desc[i].len = driver.ring.header_len - i % 2u;
		bad = 0;
		assert_int_equal(pop(), FRAME_BURST - 1);
		assert_int_equal(bad, 1);
		for (unsigned k = 0; k < FRAME_BURST - 1u; k++)
			expect_frame(&frames[k], 60, k + (k >= i));
		finish();
	}
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heads_beyond_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_skipped, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
