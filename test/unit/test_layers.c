/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Layers found in the headers of a frame, and offload requests set in an mbuf or done in software.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/layers.h"
#include "frame/offload.h"
#include "packets.h"
#include "port/send.h"

enum { KINDS = 64 };

/** TCP and UDP, IPv4 and IPv6, up to two tags, with and without options. */
static struct packet
kind_of(unsigned kind)
{
	return (struct packet){.udp = kind & 1,
		.ipv6 = kind & 2,
		.tagged = kind & 4,
		.vlan = 5,
		.outer = kind & 8,
		.ip_options = kind & 16 ? (kind & 32 ? 24 : 8) : 0,
		.payload = 3000};
}

static struct frame_offload
ask(const struct packet *packet, bool tso)
{
	struct frame_offload offload = {.flags = FRAME_CSUM,
		.csum_start = packet_l4(packet),
		.csum_offset = packet->udp ? PACKET_UDP_CSUM : PACKET_TCP_CSUM};

	if (tso) {
		offload.flags |= packet->ipv6 ? FRAME_TSO6 : FRAME_TSO4;
		offload.header_len = packet_headers(packet);
		offload.gso_size = 1000;
	}
	return offload;
}

/** The headers are copied to memory where sanitizers detect a read beyond their end. */
static int
find(const uint8_t *bytes, uint32_t length, struct layers *layers)
{
	uint8_t *exact = malloc(length > 0 ? length : 1);

	memcpy(exact, bytes, length);
	int rc = layers_find(exact, length, layers);
	free(exact);
	return rc;
}

static void
test_kinds(void **state)
{
	static uint8_t bytes[4096];

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const struct packet packet = kind_of(kind);
		struct layers layers;

		packet_write(&packet, bytes);
		for (uint32_t length = 14; length < packet_l4(&packet); length++)
			assert_int_equal(find(bytes, length, &layers), -EINVAL);
		assert_int_equal(find(bytes, packet_l4(&packet), &layers), 0);
		assert_int_equal(layers.l3, packet_l3(&packet));
		assert_int_equal(layers.l4, packet_l4(&packet));
		assert_int_equal(layers.ipv6, packet.ipv6);
		assert_int_equal(layers.protocol, packet.udp ? 17 : 6);
	}
}

/** One byte of a good frame changed. */
static void
check_refused(const struct packet *packet, uint16_t offset, uint8_t value)
{
	static uint8_t bytes[4096];
	struct layers layers;

	packet_write(packet, bytes);
	bytes[offset] = value;
	assert_int_equal(find(bytes, packet_length(packet), &layers), -EINVAL);
}

static void
test_refused(void **state)
{
	const struct packet ipv4 = {.payload = 10}, ipv6 = {.ipv6 = true, .payload = 10};
	const struct packet options = {.ipv6 = true, .ip_options = 8, .payload = 10};
	const struct packet tags = {.tagged = true, .outer = true, .payload = 10};

	(void)state;
	check_refused(&ipv4, 12, 0x07);   /* no IP */
	check_refused(&ipv4, 14, 0x55);   /* version */
	check_refused(&ipv4, 14, 0x44);   /* header of 16 bytes */
	check_refused(&ipv4, 14, 0x4f);   /* header beyond the frame */
	check_refused(&ipv4, 20, 0x20);   /* first fragment */
	check_refused(&ipv4, 21, 0x01);   /* later fragment */
	check_refused(&ipv6, 14, 0x40);   /* version */
	check_refused(&ipv6, 20, 44);     /* fragment header */
	check_refused(&ipv6, 20, 60);     /* the TCP header as options that exceed the frame */
	check_refused(&options, 54, 44);  /* fragment header behind options */
	check_refused(&options, 55, 255); /* options beyond the frame */
	check_refused(&tags, 20, 0x81);   /* a third tag */
	check_refused(&tags, 17, 0xaa);   /* the second tag has another type */
}

/** The layers behind routing headers, with segments left or not, and home addresses. */
static void
test_routing(void **state)
{
	uint8_t bytes[1024];

	(void)state;
	for (unsigned kind = 0; kind < 64; kind++) {
		const struct packet packet = {.ipv6 = true,
			.ip_options = kind & 1 ? 16 : 0,
			.segments = kind >> 2 & 15,
			.left = kind >> 2 & 3,
			.home = kind & 2,
			.payload = 10};
		struct layers layers;

		packet_write(&packet, bytes);
		assert_int_equal(find(bytes, packet_l4(&packet), &layers), 0);
		assert_int_equal(layers.l4, packet_l4(&packet));
		assert_int_equal(layers.protocol, 6);
		for (uint32_t length = 14; length < packet_l4(&packet); length++)
			assert_int_equal(find(bytes, length, &layers), -EINVAL);
	}
}

/** Hop-by-hop options are valid only directly behind the IPv6 header. */
static void
test_order(void **state)
{
	const struct packet packet = {.ipv6 = true, .segments = 1, .home = true, .payload = 10};
	uint8_t bytes[256];
	struct layers layers;

	(void)state;
	packet_write(&packet, bytes);
	bytes[54] = 0;
	assert_int_equal(find(bytes, packet_length(&packet), &layers), 0);
	assert_int_equal(layers.protocol, 0);
}

/** Options headers without end. */
static void
test_many_options(void **state)
{
	uint8_t bytes[256] = {[12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 60};
	struct layers layers;

	(void)state;
	for (unsigned n = 1; n <= 20; n++) {
		bytes[54 + 8 * (n - 1)] = 6;
		assert_int_equal(find(bytes, sizeof(bytes), &layers), n <= 8 ? 0 : -EINVAL);
		if (n <= 8)
			assert_int_equal(layers.l4, 54 + 8 * n);
		bytes[54 + 8 * (n - 1)] = 60;
	}
}

static void
check_described(const struct packet *packet, const struct frame_offload *offload, bool expected)
{
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), packet, 0, 0);

	mbuf->l2_len = 0;
	offload_describe(offload, mbuf);
	assert_int_equal(offload_is_described(offload, mbuf), expected);
	if (!expected) {
		assert_int_equal(mbuf->ol_flags, 0);
	} else {
		assert_int_equal(mbuf->l2_len, packet_l3(packet));
		assert_int_equal(mbuf->l2_len + mbuf->l3_len, packet_l4(packet));
		assert_int_equal((mbuf->ol_flags & RTE_MBUF_F_TX_IPV6) != 0, packet->ipv6);
		assert_int_equal(
			(mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM,
			packet->udp);
	}
	rte_pktmbuf_free(mbuf);
}

/** A device with a capability gets the request. */
static void
test_described(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const struct packet packet = kind_of(kind);
		bool plain = !packet.ipv6 || packet.ip_options == 0;
		struct frame_offload offload = ask(&packet, false);

		check_described(&packet, &offload, plain);
		if (!packet.udp) {
			offload = ask(&packet, true);
			check_described(&packet, &offload, plain);
			offload.gso_size = 3000 / OFFLOAD_SEGMENTS_MAX;
			check_described(&packet, &offload, false);
			offload = ask(&packet, true);
			offload.header_len = offload.csum_start + 19;
			check_described(&packet, &offload, false);
			offload.flags ^= FRAME_TSO;
			check_described(&packet, &offload, false);
		}
		for (uint16_t other = 0; other < 600; other += 8) {
			offload = ask(&packet, false);
			offload.csum_offset = packet.udp ? PACKET_TCP_CSUM : PACKET_UDP_CSUM;
			offload.csum_offset += other;
			check_described(&packet, &offload, false);
			offload = ask(&packet, false);
			offload.csum_start += 4 + other;
			check_described(&packet, &offload, false);
		}
	}
}

/* Through lib/port/send.c, to a receiver with all capabilities -------------------------------- */

static struct rte_mbuf *taken[FRAME_BURST];
static uint16_t n_taken;

static uint16_t
take(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	(void)dev;
	(void)queue;
	for (uint16_t i = 0; i < n; i++)
		taken[n_taken++] = mbufs[i];
	return n;
}

static uint32_t
send_one(const struct packet *packet, const struct frame_offload *offload, uint8_t *bytes)
{
	const struct send_queue queue = {.burst = take,
		.pool = eal_fixture_pool(),
		.capabilities = FRAME_CSUM | FRAME_TSO | FRAME_CHAIN};
	const struct frame_segment segment = {bytes, packet_length(packet)};
	struct frame frame = {.head = bytes,
		.head_len = (uint16_t)RTE_MIN(packet_length(packet), 128u),
		.len = packet_length(packet),
		.segment = &segment,
		.segments = 1,
		.l2_len = 14,
		.offload = *offload};
	struct frame *frames[] = {&frame};
	struct counters counters = {0};

	packet_write(packet, bytes);
	n_taken = 0;
	send_frames(&queue, frames, 1, &counters);
	assert_int_equal(counters.tx_packets, 1);
	return packet_read(taken[0], bytes);
}

/**
 * A checksum that is neither TCP's nor UDP's is computed in software; the device gets no request.
 */
static void
test_any_offset(void **state)
{
	static uint8_t bytes[4096], expected[4096];
	static const uint16_t offsets[] = {0, 2, 8, 12, 254, 256, 300, 1000};
	const struct packet packet = {.payload = 1400};

	(void)state;
	for (unsigned i = 0; i < COUNT(offsets); i++) {
		const struct frame_offload offload = {
			.flags = FRAME_CSUM, .csum_start = 34, .csum_offset = offsets[i]};
		packet_write(&packet, expected);
		packet_put16(expected + 34 + offsets[i],
			(uint16_t)~packet_sum(expected + 34, packet_length(&packet) - 34, 0));
		assert_int_equal(send_one(&packet, &offload, bytes), packet_length(&packet));
		assert_int_equal(taken[0]->ol_flags, 0);
		assert_memory_equal(bytes, expected, packet_length(&packet));
		rte_pktmbuf_free(taken[0]);
	}
}

/**
 * Frames with extension headers are completed or segmented, those without are left to the receiver.
 */
static void
test_extension_headers(void **state)
{
	static uint8_t bytes[4096];

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const struct packet packet = kind_of(kind);
		bool plain = !packet.ipv6 || packet.ip_options == 0;
		for (unsigned tso = 0; tso <= !packet.udp; tso++) {
			const struct frame_offload offload = ask(&packet, tso);
			uint32_t length = send_one(&packet, &offload, bytes);
			assert_int_equal(n_taken, plain || !tso ? 1 : 3);
			assert_int_equal(taken[0]->ol_flags != 0, plain);
			if (!plain)
				assert_null(packet_wrong(bytes, length));
			rte_pktmbuf_free_bulk(taken, n_taken);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		eal_unit_test(test_kinds),
		eal_unit_test(test_refused),
		eal_unit_test(test_routing),
		eal_unit_test(test_order),
		eal_unit_test(test_many_options),
		eal_unit_test(test_described),
		eal_unit_test(test_any_offset),
		eal_unit_test(test_extension_headers),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
