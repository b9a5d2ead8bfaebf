/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts: sent when the driver wants one, and only then. */
#include "unit.h"

#include <string.h>

#include "ring_help.h"

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver;

static int
setup(void **state)
{
	(void)state;
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
	return 0;
}

static void
restart(const struct ring_options *options)
{
	ring_restart(&driver, ops, false, options);
}

/** Push frames of arbitrary contents into the buffers available. */
static void
push_to(struct ring_driver *to, unsigned n)
{
	static const uint8_t bytes[60];
	const struct frame_segment segment = {bytes, sizeof(bytes)};
	struct frame frame = {.segment = &segment,
		.segments = 1,
		.head = bytes,
		.head_len = sizeof(bytes),
		.len = sizeof(bytes)};
	struct frame *frames[FRAME_BURST];
	struct virtq_result result;

	for (unsigned i = 0; i < n; i++) {
		frames[i] = &frame;
		ring_add(to, &(struct ring_part){RING_LOW, 100, VRING_DESC_F_WRITE}, 1);
	}
	assert_int_equal(virtq_push(&to->ring, frames, (uint16_t)n, &result), n);
}

static void
push_some(unsigned n)
{
	push_to(&driver, n);
}

static void
push_and_notify(unsigned n)
{
	push_some(n);
	ring_notify(&driver);
}

/* Returning sent buffers interrupts as well, once for each burst, and not without buffers. */
static void
test_transmit(void **state)
{
	static struct virtq_batch batch;
	struct frame frames[FRAME_BURST];
	uint64_t bad = 0;

	(void)state;
	restart(&(struct ring_options){.event_idx = true, .first = 65530});
	for (unsigned round = 0; round < 30; round++) {
		uint16_t n = (uint16_t)(round % 5);
		bool wanted = round % 2 == 0;
		for (uint16_t i = 0; i < n; i++)
			ring_add(&driver, &(struct ring_part){RING_LOW, 100, 0}, 1);
		ring_set_event(&driver, (uint16_t)(driver.ring.last_used + (wanted ? 0 : n)));
		assert_int_equal(virtq_pop(&driver.ring, &batch, frames, FRAME_BURST, &bad), n);
		assert_int_equal(ring_calls(&driver), 0);
		virtq_pop_done(&driver.ring, &batch);
		assert_int_equal(ring_calls(&driver), 0);
		ring_notify(&driver);
		/* Before the first interrupt the driver's state is unknown. */
		assert_int_equal(ring_calls(&driver), n > 0 && (wanted || round == 1));
	}
}

/* A polled ring requests no kicks, with both methods. */
static void
test_suppress_kicks(void **state)
{
	(void)state;
	virtq_suppress_kicks(&driver.ring);
	assert_int_equal(driver.used->flags, VRING_USED_F_NO_NOTIFY);
	restart(&(struct ring_options){.event_idx = true, .first = 10});
	virtq_suppress_kicks(&driver.ring);
	uint16_t event = *(uint16_t *)&driver.used->ring[driver.size];
	assert_false(vring_need_event(event, 10 + 200, 10));
}

static void
test_interrupt_flag(void **state)
{
	(void)state;
	push_and_notify(3);
	assert_int_equal(ring_calls(&driver), 1);
	driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	push_and_notify(3);
	assert_int_equal(ring_calls(&driver), 0);
	driver.avail->flags = 0xfffe;
	push_and_notify(1);
	assert_int_equal(ring_calls(&driver), 1);
	assert_int_equal(driver.ring.calls, 2);
	/* With EVENT_IDX the flag has no meaning. */
	restart(&(struct ring_options){.event_idx = true});
	driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	push_and_notify(1);
	ring_set_event(&driver, 1);
	push_and_notify(1);
	assert_int_equal(ring_calls(&driver), 2);
	/* Without a call descriptor there is no interrupt. */
	driver.ring.callfd = -1;
	push_and_notify(1);
	assert_int_equal(ring_calls(&driver), 0);
}

/*
 * An interrupt is sent exactly when the entry at the event index is among the new ones (2.7.7.1).
 */
static void
test_event_index(void **state)
{
	static const uint16_t firsts[] = {0, 100, 65503, 65510, 65527, 65530, 65533, 65534, 65535};
	static const int counts[] = {1, 2, 7, FRAME_BURST};

	(void)state;
	for (unsigned i = 0; i < COUNT(firsts) * COUNT(counts); i++) {
		uint16_t first = firsts[i / COUNT(counts)];
		int n = counts[i % COUNT(counts)];
		for (int event = -3; event <= n + 2; event++) {
			restart(&(struct ring_options){.event_idx = true, .first = first});
			/* The state before is unknown: an interrupt in any case. */
			ring_set_event(&driver, (uint16_t)(first + 1000));
			push_and_notify(1);
			assert_int_equal(ring_calls(&driver), 1);
			ring_set_event(&driver, (uint16_t)(first + 1 + event));
			push_and_notify((unsigned)n);
			if (ring_calls(&driver) != (event >= 0 && event < n))
				fail_msg("at %u, %d new, event %d", first, n, event);
		}
	}
}

/** @return how many of one ring virtq_notify_unfenced() leaves */
static unsigned
notify_early(void)
{
	struct virtq *ring = &driver.ring;

	return virtq_notify_unfenced(&ring, 1);
}

/*
 * A driver that wants interrupts gets one early; one that does not may want it later, for all
 * entries since.
 */
static void
test_early(void **state)
{
	(void)state;
	push_some(1);
	assert_int_equal(notify_early(), 0);
	assert_int_equal(ring_calls(&driver), 1);
	/* The interrupt covered all entries. */
	assert_int_equal(notify_early(), 0);
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 0);
	driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	push_some(1);
	assert_int_equal(notify_early(), 1);
	driver.avail->flags = 0;
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 1);
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 0);

	restart(&(struct ring_options){.event_idx = true});
	push_and_notify(1);
	assert_int_equal(ring_calls(&driver), 1);
	ring_set_event(&driver, 5);
	push_some(3);
	assert_int_equal(notify_early(), 1);
	/* Entry 2 is one of those without an interrupt. */
	ring_set_event(&driver, 2);
	assert_int_equal(notify_early(), 0);
	assert_int_equal(ring_calls(&driver), 1);
	push_some(1);
	assert_int_equal(notify_early(), 1);
	ring_notify(&driver);
	/* Entry 4 has been checked: only later entries count. */
	ring_set_event(&driver, 4);
	push_some(1);
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 0);
}

/* The rings that are left are moved to the front. */
static void
test_several(void **state)
{
	static struct ring_driver others[2];
	struct virtq *rings[] = {&others[0].ring, &driver.ring, &others[1].ring};

	(void)state;
	for (unsigned i = 0; i < COUNT(others); i++) {
		ring_start(&others[i], &guest, 1 + i, &(struct ring_options){.ops = ops});
		others[i].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
		push_to(&others[i], 1);
	}
	push_some(1);
	assert_int_equal(virtq_notify_unfenced(rings, 3), 2);
	assert_ptr_equal(rings[0], &others[0].ring);
	assert_ptr_equal(rings[1], &others[1].ring);
	assert_int_equal(ring_calls(&driver), 1);
	others[1].avail->flags = 0;
	virtq_notify(rings, 2);
	assert_int_equal(ring_calls(&others[0]), 0);
	assert_int_equal(ring_calls(&others[1]), 1);
	for (unsigned i = 0; i < COUNT(others); i++)
		ring_stop(&others[i]);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_interrupt_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_transmit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_suppress_kicks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_several, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
