/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in flight on a device that frees mbufs late: when the buffers are returned to the guest.
 */
#include "unit.h"

#include <string.h>

#include "eal_fixture.h"
#include "frame/inflight.h"
#include "frame/tx_completion.h"

enum { RING = 16, COMPLETIONS = RING / 2, SIZE = 64, PIECES = 1, SEGMENTS = 1 + PIECES };

/** The ring of a device as its driver keeps it: an mbuf is freed when its slot is reused. */
static struct {
	struct rte_mbuf *mbuf[RING];
	bool done[RING];
	unsigned tail;
	uint32_t segments;
} device;

static struct inflight *inflight;
static struct tx_completions *completions;
static uint8_t payload[1500];

/** What a driver does with the mbuf of a slot that it reuses. */
static void
device_free(unsigned place)
{
	if (device.mbuf[place] != NULL)
		rte_pktmbuf_free_seg(device.mbuf[place]);
	device.mbuf[place] = NULL;
}

static int
setup(void **state)
{
	memset(&device, 0, sizeof(device));
	memset(device.done, true, sizeof(device.done));
	device.segments = UINT32_MAX - RING; /* wraps soon */
	if (eal_test_setup(state) != 0)
		return -1;
	inflight = inflight_create(SIZE);
	completions = tx_completions_create(COMPLETIONS, -1);
	return inflight == NULL || completions == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	for (unsigned i = 0; i < RING; i++)
		device_free(i);
	assert_false(tx_completions_in_use(completions));
	assert_false(inflight_in_use(inflight));
	tx_completions_destroy(completions);
	inflight_destroy(inflight);
	return eal_test_teardown(state);
}

static void
device_put(struct rte_mbuf *mbuf)
{
	device_free(device.tail);
	device.mbuf[device.tail] = mbuf;
	device.done[device.tail] = false;
	device.tail = (device.tail + 1) % RING;
}

static struct rte_mbuf *
mbuf_new(void)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(eal_fixture_pool());

	assert_non_null(mbuf);
	return mbuf;
}

/**
 * Take a frame, add a tx completion, and send it; after a context descriptor where offloads need
 * one.
 */
static struct inflight_slot *
send_frame(bool context)
{
	struct rte_mbuf *piece = mbuf_new();

	assert_true(tx_completion_can_add(completions));
	struct inflight_slot *slot = inflight_take(inflight, 0);
	inflight_append(inflight, 0, 0);
	struct rte_mbuf_ext_shared_info *shared = tx_completion_add(completions, slot, PIECES);
	rte_pktmbuf_attach_extbuf(piece, payload, (uintptr_t)payload, sizeof(payload), shared);
	if (context)
		device_put(NULL);
	device_put(mbuf_new());
	device_put(piece);
	device.segments += SEGMENTS;
	return slot;
}

static bool
is_done(void *arg, uint16_t offset)
{
	(void)arg;
	assert_uint_in_range(offset, 0, RING - 1);
	return device.done[(device.tail + offset) % RING];
}

/**
 * The device has sent the frame whose last descriptor was put `ago` descriptors ago; 1 = the last
 * one.
 */
static void
device_sends(unsigned ago)
{
	device.done[(device.tail + RING - ago) % RING] = true;
}

static void
end(void)
{
	tx_completions_reap(completions, device.segments, RING, is_done, NULL);
}

static bool
is_in_flight(const struct inflight_slot *slot)
{
	return atomic_load(&slot->in_use);
}

/** The last frame before a pause is released although its mbufs are still in the driver's ring. */
static void
test_pause(void **state)
{
	(void)state;
	struct inflight_slot *slot = send_frame(false);
	tx_completions_mark(completions, device.segments);
	assert_true(tx_completions_pending(completions));
	end();
	assert_true(is_in_flight(slot));
	device_sends(1);
	end();
	assert_false(is_in_flight(slot));
	assert_false(tx_completions_pending(completions));
	assert_true(tx_completions_in_use(completions));
}

/** Frames are released in order of sending; those behind uncounted descriptors later. */
static void
test_order(void **state)
{
	struct inflight_slot *slot[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		slot[i] = send_frame(false);
		tx_completions_mark(completions, device.segments);
	}
	device_sends(1 + 2 * SEGMENTS);
	end();
	assert_false(is_in_flight(slot[0]));
	assert_true(is_in_flight(slot[1]));
	device_sends(1 + SEGMENTS);
	end();
	assert_false(is_in_flight(slot[1]));
	assert_true(is_in_flight(slot[2]));
	device_sends(1);
	end();
	assert_false(is_in_flight(slot[2]));
	slot[0] = send_frame(false);
	tx_completions_mark(completions, device.segments);
	slot[1] = send_frame(true);
	tx_completions_mark(completions, device.segments);
	device_sends(1 + 1 + SEGMENTS);
	end();
	assert_true(is_in_flight(slot[1]));
	device_sends(1);
	end();
	assert_false(is_in_flight(slot[0]));
	assert_false(is_in_flight(slot[1]));
}

/** The frames of one burst have one mark: they are released when all of it is sent. */
static void
test_burst(void **state)
{
	(void)state;
	struct inflight_slot *first = send_frame(false), *second = send_frame(false);
	tx_completions_mark(completions, device.segments);
	device_sends(1 + SEGMENTS);
	end();
	assert_true(is_in_flight(first));
	device_sends(1);
	end();
	assert_false(is_in_flight(first));
	assert_false(is_in_flight(second));
}

/** An mbuf that the driver did not take is freed, and the frame released. */
static void
test_not_sent(void **state)
{
	(void)state;
	struct rte_mbuf *piece = mbuf_new();
	struct inflight_slot *slot = inflight_take(inflight, 0);
	inflight_append(inflight, 0, 0);
	rte_pktmbuf_attach_extbuf(piece, payload, (uintptr_t)payload, sizeof(payload),
		tx_completion_add(completions, slot, PIECES));
	rte_pktmbuf_free(piece);
	assert_false(is_in_flight(slot));
	tx_completions_mark(completions, device.segments);
	/* The last descriptor is later than that of the frame, and not sent yet. */
	device.done[RING - 1] = false;
	end();
	assert_false(tx_completions_pending(completions));
}

/** Tx completions are free again when the driver has freed the mbufs, a lap later. */
static void
test_laps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COMPLETIONS; i++)
		send_frame(false);
	tx_completions_mark(completions, device.segments);
	device_sends(1);
	assert_false(tx_completion_can_add(completions));
	end();
	assert_false(tx_completion_can_add(completions));
	for (unsigned i = 0; i < 5 * COMPLETIONS; i++) {
		/* A copied frame in between makes space. */
		device_put(mbuf_new());
		device_put(mbuf_new());
		device.segments += 2;
		struct inflight_slot *slot = send_frame(false);
		tx_completions_mark(completions, device.segments);
		device_sends(1);
		end();
		assert_false(is_in_flight(slot));
		uint16_t token;
		while (inflight_reclaim(inflight, &token, 1) > 0)
			;
	}
}

/** The device is stopped with frames in its ring: its driver frees them. */
static void
test_stop(void **state)
{
	(void)state;
	struct inflight_slot *slot = send_frame(false);
	tx_completions_mark(completions, device.segments);
	for (unsigned i = 0; i < RING; i++)
		device_free(i);
	assert_false(is_in_flight(slot));
	end();
	assert_false(tx_completions_pending(completions));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_laps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
