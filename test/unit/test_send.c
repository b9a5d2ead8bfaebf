/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending by the capabilities of the receiver, to a receiver that records what it gets. */
#include "unit.h"

#include <string.h>

#include "eal_fixture.h"
#include "frame/offload.h"
#include "packets.h"
#include "port/send.h"

enum { SEEN_MAX = 1024, ALL = FRAME_CSUM | FRAME_TSO4 | FRAME_TSO6 | FRAME_CHAIN };

/** One mbuf as it was sent. */
struct seen {
	uint32_t len;
	uint16_t segments;
	uint16_t id; /**< of IPv4 */
	bool right;  /**< lengths and checksums */
	bool shared;
	bool prepared;
};

/** A receiver; counts calls and mbufs, and takes as many as it has space for. */
struct receiver {
	unsigned space; /**< mbufs it has descriptors for */
	unsigned calls;
	unsigned offered;
	struct seen seen[SEEN_MAX];
	unsigned n;
};

static struct receiver receiver;
static struct counters counters;

static uint16_t
receive(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	static uint8_t bytes[PACKET_MAX];
	struct receiver *to = dev;
	uint16_t sent = 0;

	assert_int_equal(queue, 3);
	assert_uint_in_range(n, 1, FRAME_BURST);
	to->calls++;
	to->offered += n;
	for (uint16_t i = 0; i < n; i++) {
		if (to->n < to->space) {
			uint32_t length = packet_read(mbufs[i], bytes);
			to->seen[to->n++] = (struct seen){.len = length,
				.segments = mbufs[i]->nb_segs,
				.id = packet_get16(bytes + 18),
				.right = packet_wrong(bytes, length) == NULL,
				.shared = rte_mbuf_refcnt_read(mbufs[i]) > 1,
				.prepared = (mbufs[i]->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0};
			sent++;
		}
		rte_pktmbuf_free(mbufs[i]);
	}
	return sent;
}

static void
prepare(const struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	assert_int_not_equal(offload->flags, 0);
	assert_int_equal(rte_mbuf_refcnt_read(mbuf), 1);
	mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

static struct send_queue
queue_of(uint8_t capabilities)
{
	memset(&receiver, 0, sizeof(receiver));
	memset(&counters, 0, sizeof(counters));
	receiver.space = SEEN_MAX;
	return (struct send_queue){
		.burst = receive, .dev = &receiver, .queue = 3, .capabilities = capabilities};
}

/* Frames -------------------------------------------------------------------------------------- */

static struct frame frames[FRAME_BURST];
static struct frame *list[FRAME_BURST];

static void
make_frame(uint16_t index, const struct packet *packet, uint8_t flags, uint16_t first)
{
	struct frame *frame = list[index] = &frames[index];
	struct packet numbered = *packet;

	numbered.id = index;
	frame_from_mbuf(frame, packet_mbuf(eal_fixture_pool(), &numbered, first, 0));
	if (flags == 0)
		return;
	frame->offload = (struct frame_offload){.flags = flags,
		.csum_start = packet_l4(packet),
		.csum_offset = PACKET_TCP_CSUM,
		.header_len = packet_headers(packet),
		.gso_size = 1000};
	offload_describe(&frame->offload, frame->mbuf);
}

static void
check_counters(uint64_t packets, uint64_t bytes, uint64_t full, uint64_t others)
{
	assert_int_equal(counters.tx_packets, packets);
	assert_int_equal(counters.tx_bytes, bytes);
	assert_int_equal(counters.tx_drops[DROP_TX_FULL], full);
	assert_int_equal(counters_drops(counters.tx_drops), full + others);
	assert_int_equal(counters.rx_packets + counters_drops(counters.rx_drops), 0);
}

static void
test_plain(void **state)
{
	const struct packet packet = {.payload = 100};
	struct send_queue queue = queue_of(0);

	(void)state;
	for (uint16_t i = 0; i < FRAME_BURST; i++)
		make_frame(i, &packet, 0, 0);
	send_frames(&queue, list, FRAME_BURST, &counters);
	assert_int_equal(receiver.calls, 1);
	assert_int_equal(receiver.n, FRAME_BURST);
	for (uint16_t i = 0; i < FRAME_BURST; i++)
		assert_int_equal(receiver.seen[i].id, i);
	check_counters(FRAME_BURST, FRAME_BURST * packet_length(&packet), 0, 0);
	send_frames(&queue, list, 0, &counters);
	assert_int_equal(receiver.calls, 1);
}

static void
test_partial(void **state)
{
	const struct packet packet = {.payload = 100};

	(void)state;
	for (unsigned space = 0; space <= 5; space++) {
		struct send_queue queue = queue_of(0);

		receiver.space = space;
		for (uint16_t i = 0; i < 5; i++)
			make_frame(i, &packet, 0, 0);
		send_frames(&queue, list, 5, &counters);
		check_counters(space, space * packet_length(&packet), 5 - space, 0);
	}
}

/** Requests within the capabilities of the receiver are left to it, in one burst. */
static void
test_capable(void **state)
{
	const struct packet packet = {.payload = 3000};
	struct send_queue queue = queue_of(ALL);

	(void)state;
	make_frame(0, &packet, FRAME_CSUM, 0);
	make_frame(1, &packet, 0, 0);
	make_frame(2, &packet, FRAME_CSUM | FRAME_TSO4, 0);
	rte_pktmbuf_refcnt_update(frames[2].mbuf, 1);
	send_frames(&queue, list, 3, &counters);
	assert_int_equal(receiver.calls, 1);
	assert_int_equal(receiver.n, 3);
	assert_int_equal(receiver.seen[0].segments, 2);
	assert_false(receiver.seen[0].right);
	assert_true(receiver.seen[2].shared);
	assert_int_equal(receiver.seen[2].len, packet_length(&packet));
	check_counters(3, 3 * packet_length(&packet), 0, 0);
	rte_pktmbuf_free(frames[2].mbuf);
}

/** Only mbufs with an offload request are prepared, and only private ones. */
static void
test_prepare(void **state)
{
	const struct packet packet = {.payload = 100};
	struct send_queue queue = queue_of(ALL);

	(void)state;
	queue.prepare = prepare;
	make_frame(0, &packet, FRAME_CSUM, 0);
	make_frame(1, &packet, 0, 0);
	make_frame(2, &packet, FRAME_CSUM, 0);
	rte_pktmbuf_refcnt_update(frames[2].mbuf, 1);
	send_frames(&queue, list, 3, &counters);
	assert_int_equal(receiver.calls, 1);
	assert_true(receiver.seen[0].prepared && receiver.seen[2].prepared);
	assert_false(receiver.seen[1].prepared || receiver.seen[2].shared);
	assert_int_equal(frames[2].mbuf->ol_flags & RTE_MBUF_F_TX_IP_CKSUM, 0);
	check_counters(3, 3 * packet_length(&packet), 0, 0);
	rte_pktmbuf_free(frames[2].mbuf);
}

static void
test_software_checksum(void **state)
{
	const struct packet packet = {.payload = 3001};
	struct send_queue queue = queue_of(FRAME_CHAIN);

	(void)state;
	make_frame(0, &packet, FRAME_CSUM, 0);
	make_frame(1, &packet, 0, 0);
	make_frame(2, &packet, FRAME_CSUM, 61);
	rte_pktmbuf_refcnt_update(frames[2].mbuf, 1);
	send_frames(&queue, list, 3, &counters);
	assert_int_equal(receiver.n, 3);
	assert_true(receiver.seen[0].right && receiver.seen[2].right);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(receiver.seen[i].id, i);
	check_counters(3, 3 * packet_length(&packet), 0, 0);
	rte_pktmbuf_free(frames[2].mbuf);
}

/** Segments keep the position of their frame; the frame counts once, with its own length. */
static void
test_software_segments(void **state)
{
	const struct packet packet = {.payload = 4500}, small = {.payload = 10};
	struct send_queue queue = queue_of(FRAME_CSUM | FRAME_CHAIN);
	static const uint32_t lengths[] = {64, 1054, 1054, 1054, 1054, 554, 64};

	(void)state;
	make_frame(0, &small, 0, 0);
	make_frame(1, &packet, FRAME_CSUM | FRAME_TSO4, 0);
	make_frame(2, &small, 0, 0);
	send_frames(&queue, list, 3, &counters);
	assert_int_equal(receiver.n, COUNT(lengths));
	assert_int_equal(receiver.calls, 3);
	for (size_t i = 0; i < COUNT(lengths); i++)
		assert_int_equal(receiver.seen[i].len, lengths[i]);
	for (size_t i = 1; i < COUNT(lengths) - 1; i++)
		assert_true(receiver.seen[i].right);
	check_counters(3, packet_length(&packet) + 2 * packet_length(&small), 0, 0);
}

/** TSO over IPv4 does not imply TSO over IPv6. */
static void
test_other_family(void **state)
{
	const struct packet packet = {.ipv6 = true, .payload = 2500};
	struct send_queue queue = queue_of(FRAME_CSUM | FRAME_TSO4 | FRAME_CHAIN);

	(void)state;
	make_frame(0, &packet, FRAME_CSUM | FRAME_TSO6, 0);
	send_frames(&queue, list, 1, &counters);
	assert_int_equal(receiver.n, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(receiver.seen[i].right);
	check_counters(1, packet_length(&packet), 0, 0);
}

/** More segments than a burst; space for all, some or none of them. */
static void
test_many_segments(void **state)
{
	const struct packet packet = {.payload = 65000};

	(void)state;
	for (unsigned space = 0; space <= 70; space += 5) {
		struct send_queue queue = queue_of(FRAME_CHAIN);

		receiver.space = space;
		make_frame(0, &packet, FRAME_CSUM | FRAME_TSO4, 0);
		send_frames(&queue, list, 1, &counters);
		assert_int_equal(receiver.n, RTE_MIN(space, 65u));
		if (space < 65)
			check_counters(0, 0, 1, 0);
		else
			check_counters(1, packet_length(&packet), 0, 0);
		/* No burst is tried after one that was sent in part. */
		assert_int_equal(receiver.offered, RTE_MIN((space / FRAME_BURST + 1) * 32, 65u));
	}
}

static void
test_bad_offloads(void **state)
{
	const struct packet packet = {.payload = 3000};
	struct send_queue queue = queue_of(FRAME_CHAIN);

	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		make_frame(i, &packet, i < 2 ? FRAME_CSUM : FRAME_CSUM | FRAME_TSO4, 0);
	frames[0].offload.csum_start = 60000;
	frames[2].offload.header_len = 10;
	frames[3].offload.gso_size = 1;
	send_frames(&queue, list, 4, &counters);
	assert_int_equal(receiver.n, 1);
	assert_int_equal(receiver.seen[0].id, 1);
	assert_int_equal(counters.tx_drops[DROP_BAD_OFFLOAD], 3);
	check_counters(1, packet_length(&packet), 0, 3);
}

static void
test_linearize(void **state)
{
	const struct packet packet = {.payload = 1500}, jumbo = {.payload = 3000};
	struct send_queue queue = queue_of(0);

	(void)state;
	make_frame(0, &packet, 0, 100);
	make_frame(1, &jumbo, 0, 100);
	make_frame(2, &packet, FRAME_CSUM, 100);
	make_frame(3, &packet, 0, 100);
	rte_pktmbuf_refcnt_update(frames[3].mbuf, 1);
	send_frames(&queue, list, 4, &counters);
	assert_int_equal(receiver.n, 3);
	assert_int_equal(receiver.seen[1].id, 2);
	assert_true(receiver.seen[1].right);
	for (unsigned i = 0; i < 3; i++)
		assert_true(receiver.seen[i].segments == 1 && !receiver.seen[i].shared);
	assert_int_equal(frames[3].mbuf->nb_segs, 2);
	assert_int_equal(counters.tx_drops[DROP_TOO_LONG], 1);
	check_counters(3, 3 * packet_length(&packet), 0, 1);
	rte_pktmbuf_free(frames[3].mbuf);
}

/** Segments must be linear as well if the receiver has no chains. */
static void
test_linear_segments(void **state)
{
	const struct packet packet = {.payload = 9000};
	struct send_queue queue = queue_of(0);

	(void)state;
	make_frame(0, &packet, FRAME_CSUM | FRAME_TSO4, 100);
	make_frame(1, &packet, FRAME_CSUM | FRAME_TSO4, 100);
	frames[1].offload.gso_size = 4000;
	send_frames(&queue, list, 2, &counters);
	for (unsigned i = 0; i < receiver.n; i++)
		assert_int_equal(receiver.seen[i].segments, 1);
	assert_int_equal(receiver.n, 9);
	check_counters(1, packet_length(&packet), 0, 1);
}

static void
test_no_memory(void **state)
{
	const struct packet packet = {.payload = 1500};

	(void)state;
	for (unsigned flags = 1; flags < 4; flags++) {
		struct send_queue queue = queue_of(0);

		make_frame(0, &packet, flags == 2 ? 0 : flags, flags == 2 ? 100 : 0);
		rte_pktmbuf_refcnt_update(frames[0].mbuf, 1);
		struct rte_mbuf *starved = eal_fixture_starve(0);
		send_frames(&queue, list, 1, &counters);
		eal_fixture_feed(starved);
		assert_int_equal(receiver.n, 0);
		assert_int_equal(counters.tx_drops[DROP_NO_MEMORY], 1);
		check_counters(0, 0, 0, 1);
		rte_pktmbuf_free(frames[0].mbuf);
	}
}

/**
 * All kinds of frames, with too little space: each frame is counted once, and none is sent twice or
 * out of order.
 */
static void
test_balance(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct send_queue queue = queue_of((uint8_t)(round % 16));

		receiver.space = seed % 80;
		for (uint16_t i = 0; i < FRAME_BURST; i++) {
			const struct packet packet = {.payload = 1 + seed % 3000};
			static const uint8_t flags[] = {0, FRAME_CSUM, FRAME_CSUM | FRAME_TSO4, 0};

			seed = seed * 1103515245 + 12345;
			make_frame(i, &packet, flags[seed >> 16 & 3], seed >> 18 & 1 ? 100 : 0);
			if (seed >> 20 & 1)
				frames[i].offload.csum_start += 200;
		}
		send_frames(&queue, list, FRAME_BURST, &counters);
		assert_int_equal(
			counters.tx_packets + counters_drops(counters.tx_drops), FRAME_BURST);
		assert_true(rte_mempool_full(eal_fixture_pool()));
		assert_uint_in_range(receiver.n, counters.tx_packets, SEEN_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		eal_unit_test(test_plain),
		eal_unit_test(test_partial),
		eal_unit_test(test_capable),
		eal_unit_test(test_prepare),
		eal_unit_test(test_software_checksum),
		eal_unit_test(test_software_segments),
		eal_unit_test(test_other_family),
		eal_unit_test(test_many_segments),
		eal_unit_test(test_bad_offloads),
		eal_unit_test(test_linearize),
		eal_unit_test(test_linear_segments),
		eal_unit_test(test_no_memory),
		eal_unit_test(test_balance),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
