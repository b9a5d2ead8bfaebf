/* SPDX-License-Identifier: BSD-3-Clause */
/* The event suppression areas of a packed ring, the word to monitor, and invalid configurations. */
#include "unit.h"

#include <stdlib.h>

#include "ring_help.h"

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST], *list[FRAME_BURST];
static uint8_t bytes[60];
static uint64_t bad;

static int
setup(void **state)
{
	(void)state;
	bad = 0;
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .packed = true});
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
	ring_restart(&driver, ops, true, options);
}

/** Push frames of arbitrary contents into the buffers available. */
static void
push_and_notify(unsigned n)
{
	const struct frame_segment segment = {bytes, 60};
	struct frame frame = {
		.segment = &segment, .segments = 1, .head = bytes, .head_len = 60, .len = 60};
	struct virtq_result result;

	for (unsigned i = 0; i < n; i++) {
		list[i] = &frame;
		ring_add(&driver, &(struct ring_part){RING_LOW, 100, VRING_DESC_F_WRITE}, 1);
	}
	assert_int_equal(virtq_push(&driver.ring, list, (uint16_t)n, &result), n);
	ring_notify(&driver);
	ring_reclaim(&driver);
}

static void
test_event_flags(void **state)
{
	static const struct {
		uint16_t flags;
		bool event_idx, call;
	} cases[] = {{VRING_PACKED_EVENT_FLAG_ENABLE, false, true},
		{VRING_PACKED_EVENT_FLAG_DISABLE, false, false},
		{VRING_PACKED_EVENT_FLAG_ENABLE, true, true},
		{VRING_PACKED_EVENT_FLAG_DISABLE, true, false},
		{VRING_PACKED_EVENT_FLAG_DESC, false, true}, /* was not negotiated */
		{3, true, true}};                            /* reserved */

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		restart(&(struct ring_options){.event_idx = cases[i].event_idx});
		push_and_notify(1);
		assert_int_equal(ring_calls(&driver), 1);
		/* Far ahead, if it were read. */
		ring_set_event(&driver, 200);
		driver.driver_event->flags = cases[i].flags;
		push_and_notify(3);
		assert_int_equal(ring_calls(&driver), cases[i].call);
		assert_int_equal(driver.ring.calls, 1 + cases[i].call);
	}
	driver.ring.callfd = -1;
	push_and_notify(1);
	assert_int_equal(ring_calls(&driver), 0);
}

/*
 * An interrupt is sent exactly when the descriptor of the event is among the new ones, in this
 * round or the next.
 */
static void
test_event_index(void **state)
{
	static const uint16_t rings[] = {40, 64, 77};

	(void)state;
	for (unsigned i = 0; i < COUNT(rings); i++) {
		for (unsigned first = 0; first < 2u * rings[i]; first += 3) {
			int n = 1 + (int)(first * 7 % FRAME_BURST);
			for (int event = -2; event <= n + 1; event++) {
				restart(&(struct ring_options){.event_idx = true,
					.size = rings[i],
					.first = (uint16_t)(first + 2 * rings[i])});
				push_and_notify(1);
				assert_int_equal(ring_calls(&driver), 1);
				ring_set_event(&driver,
					(uint16_t)(first + 2 * rings[i] + 1 + (unsigned)event));
				push_and_notify((unsigned)n);
				if (ring_calls(&driver) != (event >= 0 && event < n))
					fail_msg("size %u at %u, %d new, event %d", rings[i], first,
						n, event);
				/* The same descriptor, one round later. */
				uint32_t now = driver.descs_used;
				ring_set_event(&driver, (uint16_t)(now + rings[i]));
				push_and_notify(1);
				assert_int_equal(ring_calls(&driver), 0);
			}
		}
	}
	/* An offset outside this ring. */
	driver.driver_event->off_wrap = 0x7fff;
	push_and_notify(1);
	driver.driver_event->off_wrap = UINT16_MAX;
	push_and_notify(1);
}

/* Returning sent buffers interrupts once for a burst; the event may be within a chain. */
static void
test_transmit_event(void **state)
{
	const struct ring_part parts[] = {{RING_LOW, 50, 0}, {RING_LOW, 50, 0}, {RING_LOW, 50, 0}};

	(void)state;
	for (unsigned event = 0; event < 8; event++) {
		restart(&(struct ring_options){.event_idx = true, .size = 11});
		for (unsigned round = 0; round < 2; round++) {
			ring_add(&driver, parts, round ? 3 : 1);
			ring_add(&driver, parts, round ? 3 : 1);
			ring_set_event(&driver, (uint16_t)(2 + event));
			assert_int_equal(
				virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 2);
			assert_int_equal(ring_calls(&driver), 0);
			virtq_pop_done(&driver.ring, batch);
			ring_notify(&driver);
			/* Before the first interrupt the driver's state is unknown. */
			assert_int_equal(ring_calls(&driver), round == 0 || event < 6);
			ring_reclaim(&driver);
		}
	}
	virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
	virtq_pop_done(&driver.ring, batch);
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 0);
}

/* The monitored word changes when, and only when, the next chain is made available. */
static void
test_watch(void **state)
{
	const uint16_t *word;
	uint16_t value;

	(void)state;
	restart(&(struct ring_options){.size = 3});
	for (unsigned round = 0; round < 10; round++) {
		word = virtq_monitor(&driver.ring, &value);
		assert_ptr_equal(word, &driver.packed_desc[round % 3].flags);
		assert_int_equal(*word, value);
		ring_add(&driver, &(struct ring_part){RING_LOW, 100, 0}, 1);
		assert_int_not_equal(*word, value);
		assert_null(virtq_monitor(&driver.ring, &value));
		assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 1);
		virtq_pop_done(&driver.ring, batch);
		ring_reclaim(&driver);
	}
}

static void
test_suppress_kicks(void **state)
{
	(void)state;
	virtq_suppress_kicks(&driver.ring);
	assert_int_equal(driver.device_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
}

/* Configurations that no packed ring can have. */
static void
test_setup(void **state)
{
	struct virtq ring;
	const struct virtq_setup good = {.packed_desc = driver.packed_desc,
		.driver_event = driver.driver_event,
		.device_event = driver.device_event,
		.memory = &guest.memory,
		.size = 255,
		.last_avail = 254,
		.last_used = 0x8000 | 254,
		.packed = true,
		.header_len = 12};
	static const struct {
		uint16_t size, last_avail, last_used;
		uint8_t header_len;
		bool good;
	} cases[] = {{1, 0, 0x8000, 12, true}, {32768, 32767, 32767, 12, true},
		{0, 0, 0, 12, false}, {32769, 0, 0, 12, false}, {65535, 0, 0, 12, false},
		{255, 255, 0, 12, false}, {255, 0, 255, 12, false}, {255, 0x80ff, 0, 12, false},
		{255, 0, 0xffff, 12, false}, {255, 0, 0, 10, false}, {255, 0, 0, 0, false},
		{255, 0, 0, 13, false}};

	(void)state;
	assert_int_equal(virtq_init(&ring, &good), 0);
	assert_ptr_equal(ring.ops, virtq_ops_at(0)->packed);
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct virtq_setup other = good;
		other.size = cases[i].size;
		other.last_avail = cases[i].last_avail;
		other.last_used = cases[i].last_used;
		other.header_len = cases[i].header_len;
		assert_int_equal(virtq_init(&ring, &other) == 0, cases[i].good);
	}
	for (unsigned odd = 1; odd <= 16; odd++) {
		struct virtq_setup desc = good, avail = good, used = good;
		desc.packed_desc = (void *)((uintptr_t)good.packed_desc + odd);
		avail.driver_event = (void *)((uintptr_t)good.driver_event + odd);
		used.device_event = (void *)((uintptr_t)good.device_event + odd);
		assert_int_equal(virtq_init(&ring, &desc) == 0, odd % 16 == 0);
		assert_int_equal(virtq_init(&ring, &avail) == 0, odd % 4 == 0);
		assert_int_equal(virtq_init(&ring, &used) == 0, odd % 4 == 0);
	}
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_event_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suppress_kicks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setup, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
