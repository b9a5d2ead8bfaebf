/* SPDX-License-Identifier: BSD-3-Clause */
/* Shapers by simulated time, with a driver that records what it gets. */
#include "unit.h"

#include <string.h>

#include "eal_fixture.h"
#include "lcore/pool.h"
#include "packets.h"
#include "rate/shaper.h"

#define HZ   UINT64_C(1000000000)
#define RATE UINT64_C(8000000) /* a byte takes 1000 cycles */

enum { SPACE = 64, LEN = 1000, CYCLES = 1000, BURST = 1, LCORE_ID = 3, SEEN = 4096 };

/** Frames sent to the driver, in order. */
struct sink {
	unsigned n;
	uint64_t bytes;
	uint32_t number[SEEN];
	struct frame last;
	uint8_t bytes_of_last[PACKET_MAX];
	struct rte_mbuf *mbuf_of_last;
};

static atomic_uint lcores;
static struct sink sink;
static struct shaper *shaper;
static struct bucket_rate rate;
static struct counters counters;
static uint64_t now;
static uint32_t numbers;

static void
sink_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n, struct counters *to)
{
	assert_ptr_equal(dev, &sink);
	assert_int_equal(lcore_id, LCORE_ID);
	assert_uint_in_range(n, 1, FRAME_BURST);
	for (uint16_t i = 0; i < n; i++) {
		sink.number[sink.n++ % SEEN] = packet_get32(frames[i]->head + 38);
		sink.bytes += frames[i]->len;
		sink.last = *frames[i];
		sink.mbuf_of_last = frames[i]->mbuf;
		if (frames[i]->mbuf != NULL)
			packet_read(frames[i]->mbuf, sink.bytes_of_last);
		to->tx_packets++;
		to->tx_bytes += frames[i]->len;
	}
	frame_free(frames, n);
}

static const struct shaper_out out = {
	.tx = sink_tx, .dev = &sink, .lcore_id = LCORE_ID, .owner = true};

static void
make(unsigned space)
{
	struct err err = {0};

	shaper = shaper_create(-1, space, &lcores, &err);
	if (shaper == NULL)
		fail_msg("%s", err.text);
}

static int
setup(void **state)
{
	memset(&sink, 0, sizeof(sink));
	memset(&counters, 0, sizeof(counters));
	lcores = 1;
	numbers = 0;
	now = HZ;
	bucket_rate_set(&rate, RATE, BURST, HZ);
	make(SPACE);
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	shaper_purge(shaper);
	shaper_destroy(shaper);
	return eal_test_teardown(state);
}

/** Offer numbered frames, all of one length. */
static void
offer(uint16_t n, uint32_t length)
{
	struct frame frame[FRAME_BURST], *frames[FRAME_BURST];

	for (uint16_t i = 0; i < n; i++) {
		const struct packet packet = {.seq = numbers++, .payload = length - 54};
		memset(&frame[i], 0, sizeof(frame[i]));
		frame_from_mbuf(&frame[i], packet_mbuf(eal_fixture_pool(), &packet, 0, 0));
		frame[i].l2_len = FRAME_ETH_LEN;
		frames[i] = &frame[i];
	}
	shaper_frames(shaper, &rate, &out, frames, n, &counters, now);
}

/** Advance the time, and send the frames that are due. */
static void
pass(uint64_t cycles)
{
	now += cycles;
	shaper_drain(shaper, &rate, &out, &counters, now);
}

/** All frames offered are sent, dropped, or in the backlog; those sent are in order. */
static void
check_balance(void)
{
	assert_int_equal(numbers,
		counters.tx_packets + counters_drops(counters.tx_drops) + shaper_backlog(shaper));
	assert_int_equal(counters.tx_packets, sink.n);
	for (unsigned i = 1; i < sink.n; i++)
		assert_true(sink.number[i] > sink.number[i - 1]);
}

static void
test_pacing(void **state)
{
	(void)state;
	offer(10, LEN);
	/*
	 * One passes as the burst and leaves a debt; each of the others waits for the time of one
	 * frame.
	 */
	assert_int_equal(sink.n, 1);
	assert_int_equal(shaper_backlog(shaper), 9);
	assert_false(shaper_drain(shaper, &rate, &out, &counters, now));
	for (unsigned i = 2; i <= 10; i++) {
		pass(LEN * CYCLES - CYCLES);
		assert_int_equal(sink.n, i - 1);
		pass(CYCLES);
		assert_int_equal(sink.n, i);
	}
	assert_int_equal(shaper_backlog(shaper), 0);
	check_balance();
}

/** Frames that are not delayed stay as they are; delayed ones are copies. */
static void
test_not_delayed(void **state)
{
	unsigned before = rte_mempool_avail_count(eal_fixture_pool());

	(void)state;
	bucket_rate_set(&rate, RATE, 3 * LEN, HZ);
	offer(3, LEN);
	assert_int_equal(sink.n, 3);
	assert_ptr_equal(sink.mbuf_of_last->pool, eal_fixture_pool());
	offer(1, LEN);
	assert_int_equal(shaper_backlog(shaper), 1);
	assert_int_equal(rte_mempool_avail_count(eal_fixture_pool()), before);
	pass(HZ);
	assert_int_equal(sink.n, 4);
	assert_ptr_not_equal(sink.mbuf_of_last->pool, eal_fixture_pool());
	check_balance();
}

/** Frames offered while others are delayed do not overtake them, tokens or not. */
static void
test_order(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 3000 && sink.n < SEEN - FRAME_BURST * SHAPER_BURSTS; i++) {
		seed = seed * 1103515245 + 12345;
		if (seed >> 30 == 0)
			offer(1 + (seed >> 16) % 32, 60 + (seed >> 8) % 1400);
		else
			pass((seed >> 8) % 2000000);
		check_balance();
	}
	assert_true(counters.tx_drops[DROP_RATE_QUEUE] > 0);
	assert_true(sink.n > 1000);
}

static void
test_tail_drop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		offer(32, 60);
	assert_int_equal(sink.n, 1);
	assert_int_equal(shaper_backlog(shaper), SPACE);
	assert_int_equal(counters.tx_drops[DROP_RATE_QUEUE], 128 - 1 - SPACE);
	pass(HZ);
	check_balance();
}

/** Long frames take as much of the space as they need, and free it afterwards. */
static void
test_long_frames(void **state)
{
	static uint8_t sent[PACKET_MAX];
	const struct packet packet = {.seq = 4, .payload = 60000};

	(void)state;
	packet_write(&packet, sent);
	offer(4, 60054);
	/* 30 mbufs each: two of them fit. */
	assert_int_equal(sink.n, 1);
	assert_int_equal(shaper_backlog(shaper), 2);
	assert_int_equal(counters.tx_drops[DROP_RATE_QUEUE], 1);
	offer(5, 60);
	assert_int_equal(shaper_backlog(shaper), 6);
	for (unsigned i = 6; i-- > 0;) {
		pass(HZ);
		assert_int_equal(shaper_backlog(shaper), i);
	}
	check_balance();
	pass(HZ);
	offer(1, 60);
	offer(1, 60054);
	pass(HZ);
	assert_int_equal(sink.last.len, 60054);
	packet_put32(sent + 38, numbers - 1);
	assert_memory_equal(sink.bytes_of_last, sent, 50);
	assert_memory_equal(sink.bytes_of_last + 54, sent + 54, 60000);
}

/** A delayed frame keeps its offload requests and its tag. */
static void
test_offload_waits(void **state)
{
	static uint8_t bytes[PACKET_MAX];
	static const struct packet packet = {
		.seq = 1, .payload = 20000, .tagged = true, .vlan = 0x6005};
	const struct frame_offload offload = {.flags = FRAME_CSUM | FRAME_TSO4,
		.csum_start = packet_l4(&packet),
		.csum_offset = 16,
		.header_len = packet_headers(&packet),
		.gso_size = 1000};
	struct frame frame = {.offload = offload, .l2_len = 18, .vlan = 5, .tag_len = 4};
	uint32_t length = packet_length(&packet);

	(void)state;
	packet_write(&packet, bytes);
	/* In guest memory, in three pieces. */
	const struct frame_segment pieces[] = {
		{bytes, 200}, {bytes + 200, 1}, {bytes + 201, length - 201}};
	uint8_t head[116];
	memcpy(head, bytes, sizeof(head));
	frame.head = head;
	frame.head_len = sizeof(head);
	frame.len = length;
	frame.segment = pieces;
	frame.segments = 3;
	struct frame *const frames[] = {&frame};
	offer(1, 60);
	shaper_frames(shaper, &rate, &out, frames, 1, &counters, now);
	assert_int_equal(shaper_backlog(shaper), 1);
	/* The guest has its buffer back and writes to it. */
	memset(bytes, 0xee, length);
	pass(HZ);
	assert_int_equal(sink.n, 2);
	packet_write(&packet, bytes);
	assert_memory_equal(sink.bytes_of_last, bytes, length);
	assert_int_equal(sink.last.offload.flags, offload.flags);
	assert_int_equal(sink.last.offload.csum_start, offload.csum_start);
	assert_int_equal(sink.last.offload.csum_offset, offload.csum_offset);
	assert_int_equal(sink.last.offload.header_len, offload.header_len);
	assert_int_equal(sink.last.offload.gso_size, offload.gso_size);
	assert_int_equal(sink.last.len, length);
	assert_int_equal(sink.last.l2_len, 18);
	assert_int_equal(sink.last.vlan, 5);
}

/** A frame with another reference is copied, and its reference released. */
static void
test_shared_frames(void **state)
{
	const struct packet packet = {.seq = 1, .payload = 100};
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 60, 20);
	struct frame frame = {.l2_len = 14};
	struct frame *const frames[] = {&frame};

	(void)state;
	offer(1, 60);
	frame_from_mbuf(&frame, mbuf);
	rte_mbuf_refcnt_update(mbuf, 1);
	shaper_frames(shaper, &rate, &out, frames, 1, &counters, now);
	assert_int_equal(rte_mbuf_refcnt_read(mbuf), 1);
	rte_pktmbuf_free(mbuf);
	pass(HZ);
	assert_int_equal(sink.last.len, 154);
}

static void
test_purge(void **state)
{
	(void)state;
	offer(20, LEN);
	assert_int_equal(shaper_purge(shaper), 19);
	assert_int_equal(shaper_backlog(shaper), 0);
	pass(HZ);
	assert_int_equal(sink.n, 1);
	offer(2, LEN);
	assert_int_equal(sink.n, 2);
	assert_int_equal(shaper_backlog(shaper), 1);
}

/** A higher rate applies to the backlog. */
static void
test_change(void **state)
{
	(void)state;
	offer(32, LEN);
	offer(32, LEN);
	bucket_rate_set(&rate, BUCKET_RATE_MAX, BUCKET_BURST_MAX, HZ);
	pass(HZ);
	assert_int_equal(sink.n, 64);
	check_balance();
}

/** The number of frames sent at once is bounded, and they are sent in bursts. */
static void
test_bound(void **state)
{
	(void)state;
	shaper_destroy(shaper);
	make(1024);
	for (unsigned i = 0; i < 32; i++)
		offer(32, 60);
	bucket_rate_set(&rate, BUCKET_RATE_MAX, BUCKET_BURST_MAX, HZ);
	pass(HZ);
	assert_int_equal(sink.n, 1 + SHAPER_BURSTS * FRAME_BURST);
	offer(1, 60);
	assert_int_equal(sink.n, 1 + 2 * SHAPER_BURSTS * FRAME_BURST);
	check_balance();
}

/** An lcore that is not the owner sends nothing, tokens or not. */
static void
test_not_owner(void **state)
{
	const struct packet packet = {.seq = 0, .payload = 100};
	struct shaper_out other = out;
	struct frame frame = {.l2_len = 14};
	struct frame *const frames[] = {&frame};

	(void)state;
	lcores = 2;
	other.owner = false;
	frame_from_mbuf(&frame, packet_mbuf(eal_fixture_pool(), &packet, 0, 0));
	shaper_frames(shaper, &rate, &other, frames, 1, &counters, now);
	numbers++;
	assert_int_equal(shaper_backlog(shaper), 1);
	assert_int_equal(sink.n, 0);
	offer(1, 60);
	assert_int_equal(sink.n, 1);
	assert_int_equal(shaper_backlog(shaper), 1);
	pass(HZ);
	assert_int_equal(sink.n, 2);
	check_balance();
}

/** With several polling lcores a lock is used, and it is free afterwards. */
static void
test_lock(void **state)
{
	(void)state;
	lcores = 2;
	offer(5, 60);
	pass(HZ);
	offer(5, 60);
	pass(HZ);
	pass(HZ);
	check_balance();
}

/** A burst of frames, and many rounds until the next one. */
static void
offer_and_poll(uint64_t step)
{
	const unsigned rounds = 16;

	offer(32, 1514);
	for (unsigned i = 0; i < rounds; i++)
		pass(step / rounds);
}

/** Offered twice its rate, a port sends at its rate, within 0.1%. */
static void
test_rate(void **state)
{
	static const uint64_t rates[] = {1000000, 100000000, 10000000000, 40000000000};

	(void)state;
	for (unsigned r = 0; r < COUNT(rates); r++) {
		double bytes = (double)rates[r] / 8;
		uint64_t step = (uint64_t)(32 * 1514 / bytes / 2 * (double)HZ);
		bucket_rate_set(&rate, rates[r], bucket_burst_for(rates[r], 5, 16384), HZ);
		for (unsigned i = 0; i < 200; i++)
			offer_and_poll(step);
		uint64_t from = now, before = sink.bytes;
		for (unsigned i = 0; i < 4000; i++)
			offer_and_poll(step);
		double expected = bytes * (double)(now - from) / (double)HZ;
		double ratio = (double)(sink.bytes - before) / expected;
		if (ratio < 0.999 || ratio > 1.001)
			fail_msg("%g of %g b/s", ratio, (double)rates[r]);
	}
}

static int
group_teardown(void **state)
{
	pool_free_all();
	return eal_group_teardown(state);
}

#define shaper_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		shaper_test(test_pacing),
		shaper_test(test_not_delayed),
		shaper_test(test_order),
		shaper_test(test_tail_drop),
		shaper_test(test_long_frames),
		shaper_test(test_offload_waits),
		shaper_test(test_shared_frames),
		shaper_test(test_purge),
		shaper_test(test_change),
		shaper_test(test_bound),
		shaper_test(test_not_owner),
		shaper_test(test_lock),
		shaper_test(test_rate),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, group_teardown);
}
