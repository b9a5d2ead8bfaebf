/* SPDX-License-Identifier: BSD-3-Clause */
/* Held frames lent to a device that frees mbufs late: when the guest's buffers come back. */
#include "unit.h"

#include <string.h>

#include "eal_fixture.h"
#include "frame/inflight.h"
#include "frame/tx_completion.h"

enum { RING = 16, LOANS = RING / 2, SIZE = 64, PIECES = 1, SEGMENTS = 1 + PIECES };

/** A device's ring as its driver keeps it: an mbuf is freed where the next one goes. */
static struct {
	struct rte_mbuf *mbuf[RING];
	bool done[RING];
	unsigned tail;
	uint32_t segments;
} device;

static struct inflight *inflight;
static struct tx_completions *completions;
static uint8_t payload[1500];

/** What a driver does with an mbuf whose place it needs. */
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
	completions = tx_completions_create(LOANS, -1);
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

/** Hold a frame, lend it, and send it: with a descriptor before it, where offloads need one. */
static struct inflight_slot *
lend(bool context)
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

/** The device has sent the frame whose last descriptor was put so many ago; 1 = the last one. */
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
is_held(const struct inflight_slot *slot)
{
	return atomic_load(&slot->in_use);
}

/** The last frame before silence is given back, its mbufs still in the driver's ring. */
static void
test_silence(void **state)
{
	(void)state;
	struct inflight_slot *slot = lend(false);
	tx_completions_mark(completions, device.segments);
	assert_true(tx_completions_pending(completions));
	end();
	assert_true(is_held(slot));
	device_sends(1);
	end();
	assert_false(is_held(slot));
	assert_false(tx_completions_pending(completions));
	assert_true(tx_completions_in_use(completions));
}

/** In order, those that are sent and no others; with descriptors nobody told us of, later. */
static void
test_order(void **state)
{
	struct inflight_slot *slot[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		slot[i] = lend(false);
		tx_completions_mark(completions, device.segments);
	}
	device_sends(1 + 2 * SEGMENTS);
	end();
	assert_false(is_held(slot[0]));
	assert_true(is_held(slot[1]));
	device_sends(1 + SEGMENTS);
	end();
	assert_false(is_held(slot[1]));
	assert_true(is_held(slot[2]));
	device_sends(1);
	end();
	assert_false(is_held(slot[2]));
	slot[0] = lend(false);
	tx_completions_mark(completions, device.segments);
	slot[1] = lend(true);
	tx_completions_mark(completions, device.segments);
	device_sends(1 + 1 + SEGMENTS);
	end();
	assert_true(is_held(slot[1]));
	device_sends(1);
	end();
	assert_false(is_held(slot[0]));
	assert_false(is_held(slot[1]));
}

/** What left in one burst has one mark: back when all of it is sent. */
static void
test_burst(void **state)
{
	(void)state;
	struct inflight_slot *first = lend(false), *second = lend(false);
	tx_completions_mark(completions, device.segments);
	device_sends(1 + SEGMENTS);
	end();
	assert_true(is_held(first));
	device_sends(1);
	end();
	assert_false(is_held(first));
	assert_false(is_held(second));
}

/** A driver that did not take it frees it, and that ends the hold. */
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
	assert_false(is_held(slot));
	tx_completions_mark(completions, device.segments);
	/* The youngest descriptor is older than it, and not sent yet. */
	device.done[RING - 1] = false;
	end();
	assert_false(tx_completions_pending(completions));
}

/** Loans are free again when the driver has freed the mbufs, a lap later. */
static void
test_laps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOANS; i++)
		lend(false);
	tx_completions_mark(completions, device.segments);
	device_sends(1);
	assert_false(tx_completion_can_add(completions));
	end();
	assert_false(tx_completion_can_add(completions));
	for (unsigned i = 0; i < 5 * LOANS; i++) {
		/* A copied frame in between makes space. */
		device_put(mbuf_new());
		device_put(mbuf_new());
		device.segments += 2;
		struct inflight_slot *slot = lend(false);
		tx_completions_mark(completions, device.segments);
		device_sends(1);
		end();
		assert_false(is_held(slot));
		uint16_t token;
		while (inflight_reclaim(inflight, &token, 1) > 0)
			;
	}
}

/** The device is stopped with frames in it: its driver frees them. */
static void
test_stop(void **state)
{
	(void)state;
	struct inflight_slot *slot = lend(false);
	tx_completions_mark(completions, device.segments);
	for (unsigned i = 0; i < RING; i++)
		device_free(i);
	assert_false(is_held(slot));
	end();
	assert_false(tx_completions_pending(completions));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_laps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
