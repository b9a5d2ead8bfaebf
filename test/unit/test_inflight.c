/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in flight from a guest's ring: which buffers are returned, when, in which order. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/convert.h"
#include "frame/tx_completion.h"
#include "packets.h"
#include "port/send.h"
#include "ring_help.h"

enum { SIZE = 64, TAKEN_MAX = SIZE / INFLIGHT_SHARE_SLOTS, WAIT_MAX = SIZE / INFLIGHT_SHARE_WAIT };
enum { LEN = 1500, LONG = 65000, HEADER = 12, SLOT = 70000 };

static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct inflight *inflight;
static struct frame frames[FRAME_BURST];
static uint8_t bytes[LONG], seen[LONG];

static int
setup(void **state)
{
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0,
		&(struct ring_options){.size = SIZE, .first = 65500, .offloads = 7});
	inflight = inflight_create(SIZE);
	driver.ring.inflight = inflight;
	return inflight == NULL ? -1 : eal_test_setup(state);
}

static int
teardown(void **state)
{
	ring_stop(&driver);
	ring_guest_stop(&guest);
	inflight_destroy(inflight);
	free(batch);
	return eal_test_teardown(state);
}

/** Make n frames available, each in one buffer. */
static void
add(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t at = RING_LOW + 4096 + (uint64_t)(driver.avail_next % SIZE) * 4096;
		ring_pattern(bytes, HEADER + LEN, driver.avail_next);
		memset(bytes, 0, HEADER);
		ring_write(&guest, at, bytes, HEADER + LEN);
		ring_add(&driver, &(struct ring_part){at, HEADER + LEN, 0}, 1);
	}
}

static void
pop(uint16_t n)
{
	uint64_t bad = 0;

	if (virtq_has_inflight(&driver.ring))
		virtq_reclaim(&driver.ring, NULL);
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, n, &bad), n);
}

static struct rte_mbuf *
take(uint16_t i)
{
	return convert_zero_copy(&frames[i], eal_fixture_pool(), NULL);
}

/** Check that the guest has got back exactly these buffers since the last call, in this order. */
static void
check_used(unsigned n, const uint16_t heads[])
{
	struct vring_used_elem entry;

	for (unsigned i = 0; i < n; i++) {
		assert_true(ring_used(&driver, &entry));
		assert_int_equal(entry.id, heads[i]);
		assert_int_equal(entry.len, 0);
	}
	assert_false(ring_used(&driver, &entry));
}

static void
check_holds(const struct rte_mbuf *mbuf, const uint8_t *expected, uint32_t len)
{
	assert_int_equal(mbuf->pkt_len, len);
	assert_true(RTE_MBUF_DIRECT(mbuf));
	for (const struct rte_mbuf *m = mbuf->next; m != NULL; m = m->next)
		assert_true(RTE_MBUF_HAS_EXTBUF(m));
	assert_int_equal(packet_read(mbuf, seen), len);
	assert_memory_equal(seen, expected, len);
}

/** Buffers behind a frame in flight are returned after it. */
static void
test_order(void **state)
{
	uint16_t heads[5];

	(void)state;
	add(4);
	pop(4);
	memcpy(heads, batch->chain, sizeof(heads));
	struct rte_mbuf *second = take(1), *third = take(2);
	assert_non_null(second);
	assert_non_null(third);
	virtq_pop_done(&driver.ring, batch);
	check_used(1, heads);
	/* The ring must be polled meanwhile, even without new frames. */
	uint16_t value;
	assert_true(virtq_has_inflight(&driver.ring));
	assert_null(virtq_monitor(&driver.ring, &value));
	rte_pktmbuf_free(third);
	virtq_reclaim(&driver.ring, NULL);
	check_used(0, NULL);
	add(1);
	pop(1);
	heads[4] = batch->chain[0];
	virtq_pop_done(&driver.ring, batch);
	check_used(0, NULL);
	rte_pktmbuf_free(second);
	virtq_reclaim(&driver.ring, NULL);
	check_used(4, heads + 1);
	assert_false(virtq_has_inflight(&driver.ring));
	assert_non_null(virtq_monitor(&driver.ring, &value));
	assert_false(inflight_in_use(inflight));
	assert_int_equal(driver.ring.last_avail, driver.ring.last_used);
}

/** Released before the end of the burst: returned as if it had not been in flight. */
static void
test_released_at_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4 * SIZE; round++) {
		add(3);
		pop(3);
		for (uint16_t i = 0; i < 3; i++)
			rte_pktmbuf_free(take(i));
		uint16_t heads[3];
		memcpy(heads, batch->chain, sizeof(heads));
		virtq_pop_done(&driver.ring, batch);
		check_used(3, heads);
		assert_false(virtq_has_inflight(&driver.ring));
	}
}

/** A frame is taken once at most, and the number in flight from a ring is limited. */
static void
test_limits(void **state)
{
	struct rte_mbuf *held[TAKEN_MAX];

	(void)state;
	add(TAKEN_MAX + 1);
	pop(TAKEN_MAX + 1);
	for (uint16_t i = 0; i < TAKEN_MAX; i++) {
		held[i] = take(i);
		assert_non_null(held[i]);
		assert_null(take(i));
	}
	assert_null(take(TAKEN_MAX));
	rte_pktmbuf_free_bulk(held, TAKEN_MAX);
	/* Slots are free with the return of the buffers, not before. */
	assert_null(take(TAKEN_MAX));
	virtq_pop_done(&driver.ring, batch);
	assert_int_equal(inflight->n_free, TAKEN_MAX);
}

/**
 * Buffers behind a frame that is in flight for too long are returned before it, and until it is
 * released no other frame is taken.
 */
static void
test_overtaken(void **state)
{
	uint16_t heads[WAIT_MAX + 2], late;

	(void)state;
	add(1);
	pop(1);
	late = batch->chain[0];
	struct rte_mbuf *mbuf = take(0);
	virtq_pop_done(&driver.ring, batch);
	for (unsigned i = 0; i < WAIT_MAX; i++) {
		check_used(0, NULL);
		add(1);
		pop(1);
		heads[i] = batch->chain[0];
		virtq_pop_done(&driver.ring, batch);
	}
	check_used(WAIT_MAX, heads);
	for (unsigned i = 0; i < 4 * SIZE; i++) {
		add(1);
		pop(1);
		assert_null(take(0));
		virtq_pop_done(&driver.ring, batch);
		check_used(1, batch->chain);
		/* The driver must not reuse the descriptor of the late frame. */
		if ((driver.next_desc & (SIZE - 1)) == late)
			driver.next_desc++;
	}
	rte_pktmbuf_free(mbuf);
	virtq_reclaim(&driver.ring, NULL);
	check_used(1, &late);
	assert_false(virtq_has_inflight(&driver.ring));
	add(1);
	pop(1);
	mbuf = take(0);
	assert_non_null(mbuf);
	rte_pktmbuf_free(mbuf);
	virtq_pop_done(&driver.ring, batch);
}

/** The ring ends: buffers behind a frame in flight will be popped again. */
static void
test_end_rewinds(void **state)
{
	uint16_t heads[4];

	(void)state;
	add(4);
	pop(4);
	memcpy(heads, batch->chain, sizeof(heads));
	struct rte_mbuf *mbuf = take(1);
	virtq_pop_done(&driver.ring, batch);
	check_used(1, heads);
	virtq_pop_end(&driver.ring);
	check_used(0, NULL);
	assert_int_equal(driver.ring.last_avail, driver.ring.last_used);
	assert_true(inflight_in_use(inflight));
	assert_false(virtq_has_inflight(&driver.ring));
	pop(3);
	assert_memory_equal(batch->chain, heads + 1, 3 * sizeof(heads[0]));
	virtq_pop_done(&driver.ring, batch);
	check_used(3, heads + 1);
	rte_pktmbuf_free(mbuf);
	assert_false(inflight_in_use(inflight));
}

/**
 * The same after later buffers were returned: the late one is returned as well, for it cannot be
 * popped again.
 */
static void
test_end_gives_up(void **state)
{
	uint16_t head;

	(void)state;
	add(1);
	pop(1);
	head = batch->chain[0];
	struct rte_mbuf *mbuf = take(0);
	virtq_pop_done(&driver.ring, batch);
	add(WAIT_MAX);
	pop(WAIT_MAX);
	virtq_pop_done(&driver.ring, batch);
	check_used(WAIT_MAX, batch->chain);
	virtq_pop_end(&driver.ring);
	check_used(1, &head);
	assert_int_equal(driver.ring.last_avail, driver.ring.last_used);
	assert_true(inflight_in_use(inflight));
	rte_pktmbuf_free(mbuf);
	assert_false(inflight_in_use(inflight));
}

/** Frames of all lengths in chains of all kinds; the head is the one that was classified. */
static void
test_bytes(void **state)
{
	static const uint32_t lengths[] = {129, 512, 1514, 9014, 65000};

	(void)state;
	for (unsigned i = 0; i < COUNT(lengths) * 10; i++) {
		struct ring_part parts[10];
		uint32_t len = lengths[i / 10], total = HEADER + len, n = i % 10 + 1, at = 0;
		/* Across the border of two regions as well. */
		uint64_t addr = RING_HIGH - total / 2;

		ring_pattern(bytes, len, i);
		ring_fill(&guest, addr, 0, HEADER);
		ring_write(&guest, addr + HEADER, bytes, len);
		for (unsigned part = 0; part < n; part++) {
			uint32_t size = part + 1 < n ? total / n : total - at;
			parts[part] = (struct ring_part){addr + at, size, 0};
			at += size;
		}
		ring_add(&driver, parts, n);
		pop(1);
		ring_fill(&guest, addr + HEADER, 0xee, 60);
		uint16_t pieces = frames[0].segments;
		struct rte_mbuf *mbuf = take(0);
		assert_true(mbuf != NULL || pieces > INFLIGHT_PIECES_MAX);
		if (mbuf != NULL)
			check_holds(mbuf, bytes, len);
		rte_pktmbuf_free(mbuf);
		virtq_pop_done(&driver.ring, batch);
		check_used(1, batch->chain);
	}
}

static void
test_no_memory(void **state)
{
	(void)state;
	add(1);
	pop(1);
	for (unsigned left = 0; left < 2; left++) {
		struct rte_mbuf *starved = eal_fixture_starve(left);
		assert_null(take(0));
		assert_int_equal(rte_mempool_avail_count(eal_fixture_pool()), left);
		eal_fixture_feed(starved);
	}
	assert_int_equal(inflight->n_free, TAKEN_MAX);
	virtq_pop_done(&driver.ring, batch);
	check_used(1, batch->chain);
}

/* Through lib/port/send.c ---------------------------------------------------------------------- */

static struct rte_mbuf *sent[FRAME_BURST];

static uint16_t
keep(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	(void)dev;
	(void)queue;
	memcpy(sent, mbufs, n * sizeof(mbufs[0]));
	return n;
}

static bool
is_taken(const struct send_queue *queue, uint8_t flags)
{
	struct frame *list[] = {&frames[0]};
	struct counters counters = {0};

	add(1);
	pop(1);
	frames[0].offload =
		(struct frame_offload){.flags = flags, .csum_start = 200, .csum_offset = 16};
	send_frames(queue, list, 1, &counters);
	assert_int_equal(counters.tx_packets, 1);
	bool held = inflight->burst_mask != 0;
	/* A frame that software has modified is a copy. */
	for (struct rte_mbuf *m = sent[0]; m != NULL; m = m->next)
		assert_true(flags == 0 || RTE_MBUF_DIRECT(m));
	rte_pktmbuf_free(sent[0]);
	virtq_pop_done(&driver.ring, batch);
	check_used(1, batch->chain);
	return held;
}

static void
test_zero_copy_conditions(void **state)
{
	struct send_queue queue = {.burst = keep,
		.pool = eal_fixture_pool(),
		.capabilities = FRAME_CHAIN,
		.reads_guests = true};

	(void)state;
	assert_true(is_taken(&queue, 0));
	assert_false(is_taken(&queue, FRAME_CSUM));
	/*
	 * Taken by reference, but copied when its request is prepared for the device: its headers
	 * are invalid.
	 */
	queue.capabilities |= FRAME_CSUM;
	assert_true(is_taken(&queue, FRAME_CSUM));
	queue.reads_guests = false;
	assert_false(is_taken(&queue, 0));
}

/** A device reads only memory that is mapped for it, and only with a tx completion available. */
static void
test_dma_conditions(void **state)
{
	atomic_bool reached = false;
	struct send_queue queue = {.burst = keep,
		.pool = eal_fixture_pool(),
		.capabilities = FRAME_CHAIN,
		.reads_guests = true,
		.completions = tx_completions_create(1, -1)};

	(void)state;
	assert_non_null(queue.completions);
	assert_false(is_taken(&queue, 0));
	inflight->dma_mapped = &reached;
	assert_false(is_taken(&queue, 0));
	atomic_store(&reached, true);
	assert_true(is_taken(&queue, 0));
	/* Freed, but no tx completion has been seen. */
	assert_false(is_taken(&queue, 0));
	assert_int_equal(atomic_load(&queue.completions->added), 1);
	tx_completions_destroy(queue.completions);
}

/* Freed by another thread ---------------------------------------------------------------------- */

enum { ROUNDS = 20000, CROSSING = 8 };

static _Atomic(struct rte_mbuf *) crossing[CROSSING];
static atomic_bool over;

static void *
release(void *arg)
{
	unsigned empty = 0;

	(void)arg;
	for (unsigned i = 0; empty < CROSSING; i = i * 5 + 3) {
		struct rte_mbuf *mbuf = atomic_exchange(&crossing[i % CROSSING], NULL);
		rte_pktmbuf_free(mbuf);
		empty = mbuf == NULL && atomic_load(&over) ? empty + 1 : 0;
	}
	return NULL;
}

/** Every buffer is returned once, in any order of releases. */
static void
test_threads(void **state)
{
	struct vring_used_elem entry;
	unsigned popped = 0, back = 0;
	bool away[SIZE] = {false};
	pthread_t thread;

	(void)state;
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&thread, NULL, release, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (popped - back < WAIT_MAX && !away[driver.next_desc & (SIZE - 1)]) {
			add(1);
			pop(1);
			away[batch->chain[0]] = true;
			popped++;
			struct rte_mbuf *mbuf = take(0);
			rte_pktmbuf_free(atomic_exchange(&crossing[i % CROSSING], mbuf));
			virtq_pop_done(&driver.ring, batch);
		}
		if (virtq_has_inflight(&driver.ring))
			virtq_reclaim(&driver.ring, NULL);
		for (; ring_used(&driver, &entry); back++) {
			assert_true(away[entry.id]);
			away[entry.id] = false;
		}
	}
	for (unsigned i = 0; i < CROSSING; i++)
		rte_pktmbuf_free(atomic_exchange(&crossing[i], NULL));
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	virtq_reclaim(&driver.ring, NULL);
	for (; ring_used(&driver, &entry); back++)
		assert_true(away[entry.id]);
	assert_int_equal(back, popped);
	assert_true(popped > 100);
	assert_false(inflight_in_use(inflight));
}

#define INFLIGHT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		INFLIGHT_TEST(test_order),
		INFLIGHT_TEST(test_released_at_once),
		INFLIGHT_TEST(test_limits),
		INFLIGHT_TEST(test_overtaken),
		INFLIGHT_TEST(test_end_rewinds),
		INFLIGHT_TEST(test_end_gives_up),
		INFLIGHT_TEST(test_bytes),
		INFLIGHT_TEST(test_no_memory),
		INFLIGHT_TEST(test_zero_copy_conditions),
		INFLIGHT_TEST(test_dma_conditions),
		INFLIGHT_TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
