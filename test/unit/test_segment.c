/* SPDX-License-Identifier: BSD-3-Clause */
/* Segmentation of long TCP frames: every segment is compared with what RFC 9293 requires. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/offload.h"
#include "packets.h"

static uint8_t whole[PACKET_MAX], part[PACKET_MAX], rebuilt[PACKET_MAX];

static struct frame_offload
to_cut(const struct packet *packet, uint16_t gso_size)
{
	return (struct frame_offload){
		.flags = FRAME_CSUM | (packet->ipv6 ? FRAME_TSO6 : FRAME_TSO4),
		.csum_start = packet_l4(packet),
		.csum_offset = PACKET_TCP_CSUM,
		.header_len = packet_headers(packet),
		.gso_size = gso_size};
}

/**
 * The headers that a segment must have, except for lengths and checksums, which packet_wrong()
 * checks.
 */
static void
expected_headers(const struct packet *packet, unsigned index, unsigned count, uint16_t gso_size,
	uint8_t *headers)
{
	uint8_t *tcp = headers + packet_l4(packet);

	memcpy(headers, whole, packet_headers(packet));
	packet_put32(tcp + 4, packet->seq + index * gso_size);
	if (index > 0)
		tcp[PACKET_TCP_FLAGS] &= (uint8_t)~PACKET_CWR;
	if (index + 1 < count)
		tcp[PACKET_TCP_FLAGS] &= (uint8_t) ~(PACKET_FIN | PACKET_PSH);
	if (!packet->ipv6)
		packet_put16(headers + packet_l3(packet) + 4, (uint16_t)(packet->id + index));
}

/** Zero the fields that differ and that packet_wrong() has checked. */
static void
blank(const struct packet *packet, uint8_t *headers)
{
	packet_put16(headers + packet_l3(packet) + (packet->ipv6 ? 4 : 2), 0);
	if (!packet->ipv6)
		packet_put16(headers + packet_l3(packet) + 10, 0);
	packet_put16(headers + packet_l4(packet) + PACKET_TCP_CSUM, 0);
}

static void
check_segment(const struct packet *packet, const struct rte_mbuf *segment, unsigned index,
	unsigned count, uint16_t gso_size)
{
	uint8_t headers[1024];
	uint32_t length = packet_read(segment, part), header_len = packet_headers(packet);
	uint32_t left = packet->payload - index * gso_size;
	const char *wrong = packet_wrong(part, length);

	if (wrong != NULL)
		fail_msg("%s of segment %u of %u", wrong, index, count);
	assert_int_equal(length, segment->pkt_len);
	assert_int_equal(length - header_len, RTE_MIN(left, gso_size));
	assert_int_equal(segment->ol_flags, 0);
	memcpy(rebuilt + header_len + index * gso_size, part + header_len, length - header_len);
	expected_headers(packet, index, count, gso_size, headers);
	blank(packet, headers);
	blank(packet, part);
	assert_memory_equal(part, headers, header_len);
}

static void
check_cut(const struct packet *packet, uint16_t gso_size, uint16_t first, uint16_t rest)
{
	const struct frame_offload offload = to_cut(packet, gso_size);
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), packet, first, rest);
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];
	unsigned count = (packet->payload + gso_size - 1) / gso_size;
	uint32_t length = packet_read(mbuf, whole);

	assert_int_equal(offload_segment(&offload, mbuf, segments), count);
	memcpy(rebuilt, whole, packet_headers(packet));
	for (unsigned i = 0; i < count; i++)
		check_segment(packet, segments[i], i, count, gso_size);
	assert_memory_equal(rebuilt, whole, length);
	/* The frame itself was only read. */
	assert_int_equal(packet_read(mbuf, part), length);
	assert_memory_equal(part, whole, length);
	rte_pktmbuf_free(mbuf);
	rte_pktmbuf_free_bulk(segments, count);
}

/** This payload in frames of all kinds, in one segment and in chains. */
static void
check_kinds(uint32_t payload, uint16_t gso_size)
{
	for (unsigned kind = 0; kind < 16; kind++) {
		const struct packet packet = {.ipv6 = kind & 1,
			.tagged = kind & 2,
			.vlan = 0x2007,
			.outer = (kind & 10) == 10,
			.ip_options = kind & 4 ? 0 : 8,
			.tcp_options = kind & 4 ? 12 : 0,
			.flags = PACKET_ACK | PACKET_PSH,
			.id = 0x1234,
			.seq = 0x01020304,
			.payload = payload};

		check_cut(&packet, gso_size, 0, 0);
		check_cut(&packet, gso_size, packet_headers(&packet), 0);
		check_cut(&packet, gso_size, packet_headers(&packet) + 1, 999);
	}
}

static void
test_sizes(void **state)
{
	(void)state;
	check_kinds(1448, 1448);
	check_kinds(1, 1448);
	check_kinds(1447, 1448);
	check_kinds(1449, 1448);
	check_kinds(5 * 1448, 1448);
	check_kinds(5 * 1448 + 1, 1448);
	check_kinds(5 * 1448 - 1, 1448);
	check_kinds(40, 1);
	check_kinds(100, 7);
	check_kinds(1000, 999);
}

/**
 * Routing headers with segments left, home addresses, and options: the pseudo header has addresses
 * that are not those of the IPv6 header.
 */
static void
test_extension_headers(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 32; kind++)
		for (uint8_t segments = 0; segments <= 12; segments += segments < 4 ? 1 : 4)
			for (uint8_t left = 0; left <= segments; left++) {
				const struct packet packet = {.ipv6 = true,
					.tagged = kind & 1,
					.outer = kind & 1,
					.vlan = 7,
					.ip_options = kind & 2 ? 8 : 0,
					.segments = segments,
					.left = left,
					.home = kind & 4,
					.tcp_options = kind & 8 ? 40 : 0,
					.payload = kind & 16 ? 3001 : 65000};

				check_cut(&packet, 1000, 0, 0);
				check_cut(&packet, 1447, packet_headers(&packet), 999);
			}
}

/**
 * The longest headers that are accepted, and a tag; the longest of IPv4 and TCP behind two tags.
 */
static void
test_headers_of_any_length(void **state)
{
	const struct packet longest4 = {.tagged = true,
		.outer = true,
		.ip_options = 40,
		.tcp_options = 40,
		.payload = 5000};
	struct packet packet = {
		.ipv6 = true, .segments = 24, .left = 24, .tcp_options = 40, .payload = 5000};
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];

	(void)state;
	check_cut(&longest4, 1000, 0, 0);
	/* 14 + 40 + 8 + 24 * 16 + 60 bytes, and options. */
	assert_int_equal(packet_headers(&packet), FRAME_HEADERS_MAX - 6);
	check_cut(&packet, 1000, 0, 0);
	check_cut(&packet, 1447, packet_headers(&packet), 0);
	/* Segments that do not fit one mbuf. */
	check_cut(&packet, 2000, 0, 0);
	packet.ip_options = 8;
	check_cut(&packet, 1000, 0, 0);
	packet.ip_options = 16;
	const struct frame_offload offload = to_cut(&packet, 1000);
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 0, 0);
	assert_int_equal(offload_segment(&offload, mbuf, segments), -EINVAL);
	rte_pktmbuf_free(mbuf);
}

static void
test_large(void **state)
{
	(void)state;
	check_kinds(65000, 1448);
	check_kinds(OFFLOAD_SEGMENTS_MAX * 536, 536);
	/* Segments that need chains themselves. */
	check_kinds(60000, 8948);
	check_kinds(60001, 8949);
	check_kinds(60001, 30000);
}

/** Small source segments: each header and each payload spans several. */
static void
test_chain_input(void **state)
{
	const struct packet packet = {.payload = 3000, .flags = PACKET_ACK};

	(void)state;
	for (uint16_t rest = 1; rest < 40; rest += 2)
		check_cut(&packet, 701, packet_headers(&packet), rest);
}

static void
test_flags(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct packet packet = {.flags = (uint8_t)flags, .payload = 30};

		check_cut(&packet, 30, 0, 0);
		check_cut(&packet, 15, 0, 0);
		check_cut(&packet, 10, 0, 0);
	}
}

static void
test_wraps(void **state)
{
	const struct packet packet = {.id = 0xfffe, .seq = 0xffffff00, .payload = 1000};

	(void)state;
	check_cut(&packet, 100, 0, 0);
}

static void
test_no_memory(void **state)
{
	const struct packet packet = {.payload = 10 * 1000};
	const struct frame_offload offload = to_cut(&packet, 1000);
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 0, 0);
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];

	(void)state;
	for (unsigned left = 0; left < 10; left++) {
		struct rte_mbuf *starved = eal_fixture_starve(left);
		assert_int_equal(offload_segment(&offload, mbuf, segments), -ENOMEM);
		assert_int_equal(rte_mempool_avail_count(eal_fixture_pool()), left);
		eal_fixture_feed(starved);
	}
	rte_pktmbuf_free(mbuf);
}

static void
test_too_many(void **state)
{
	const struct packet packet = {.payload = OFFLOAD_SEGMENTS_MAX * 100 + 1};
	const struct packet huge = {.payload = 200000};
	struct frame_offload offload = to_cut(&packet, 100);
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 0, 0);
	struct rte_mbuf *segments[1];

	(void)state;
	assert_int_equal(offload_segment(&offload, mbuf, segments), -E2BIG);
	rte_pktmbuf_free(mbuf);
	offload = to_cut(&huge, 1);
	mbuf = packet_mbuf(eal_fixture_pool(), &huge, 0, 0);
	assert_int_equal(offload_segment(&offload, mbuf, segments), -E2BIG);
	rte_pktmbuf_free(mbuf);
}

/* Requests that the frame contradicts ---------------------------------------------------------- */

/** A frame with one byte changed, an offload request, or a layout. */
struct contradiction {
	const char *what;
	void (*request)(struct frame_offload *offload, struct rte_mbuf *mbuf);
	uint16_t first;  /**< of the chain */
	uint16_t offset; /**< offset of the byte changed, 0 = none */
	uint8_t value;
	bool ipv6;
};

static void
request_nothing(struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	(void)offload;
	(void)mbuf;
}

#define CLAIM(name, statement)                                                                     \
	static void request_##name(struct frame_offload *offload, struct rte_mbuf *mbuf)           \
	{                                                                                          \
		(void)offload;                                                                     \
		(void)mbuf;                                                                        \
		statement;                                                                         \
	}

CLAIM(no_gso_size, offload->gso_size = 0)
CLAIM(short_header, offload->header_len--)
CLAIM(long_header, offload->header_len += 4)
CLAIM(no_header, offload->header_len = 0)
CLAIM(largest_header, offload->header_len = UINT16_MAX)
CLAIM(no_payload, offload->header_len = (uint16_t)mbuf->pkt_len)
CLAIM(late_start, offload->csum_start += 4)
CLAIM(early_start, offload->csum_start -= 4)
CLAIM(start_in_ethernet, offload->csum_start = 10)
CLAIM(no_start, offload->csum_start = 0)
CLAIM(largest_start, offload->csum_start = UINT16_MAX)
CLAIM(csum_of_udp, offload->csum_offset = PACKET_UDP_CSUM)
CLAIM(other_csum, offload->csum_offset = PACKET_TCP_CSUM + 256)
CLAIM(other_family, offload->flags ^= FRAME_TSO)
CLAIM(segment_over_64k, offload->gso_size = UINT16_MAX - 20)

static const struct contradiction contradictions[] = {
	{.what = "gso_size 0", .request = request_no_gso_size},
	{.what = "header_len short", .request = request_short_header},
	{.what = "header_len long", .request = request_long_header},
	{.what = "header_len 0", .request = request_no_header},
	{.what = "header_len 65535", .request = request_largest_header},
	{.what = "no payload", .request = request_no_payload},
	{.what = "TCP late", .request = request_late_start},
	{.what = "TCP early", .request = request_early_start},
	{.what = "TCP in the Ethernet header", .request = request_start_in_ethernet},
	{.what = "TCP at 0", .request = request_no_start},
	{.what = "TCP at 65535", .request = request_largest_start},
	{.what = "checksum of UDP", .request = request_csum_of_udp},
	{.what = "checksum elsewhere", .request = request_other_csum},
	{.what = "the other family", .request = request_other_family},
	{.what = "segments beyond 64 KiB", .request = request_segment_over_64k},
	{.what = "header in two segments", .request = request_nothing, .first = 53},
	{.what = "header in two segments", .request = request_nothing, .first = 1},
	{.what = "IPv4 version 5", .request = request_nothing, .offset = 14, .value = 0x55},
	{.what = "IPv4 header too short", .request = request_nothing, .offset = 14, .value = 0x44},
	{.what = "IPv4 header of 0", .request = request_nothing, .offset = 14, .value = 0x40},
	{.what = "IPv4 header longer", .request = request_nothing, .offset = 14, .value = 0x46},
	{.what = "IPv4 header longest", .request = request_nothing, .offset = 14, .value = 0x4f},
	{.what = "IPv4 of UDP", .request = request_nothing, .offset = 23, .value = 17},
	{.what = "IPv4 fragment", .request = request_nothing, .offset = 20, .value = 0x20},
	{.what = "TCP header too short", .request = request_nothing, .offset = 46, .value = 0x40},
	{.what = "TCP header longer", .request = request_nothing, .offset = 46, .value = 0x60},
	{.what = "IPv6 version 7",
		.request = request_nothing,
		.offset = 14,
		.value = 0x70,
		.ipv6 = true},
	{.what = "IPv6 of UDP",
		.request = request_nothing,
		.offset = 20,
		.value = 17,
		.ipv6 = true},
	{.what = "IPv6 options",
		.request = request_nothing,
		.offset = 20,
		.value = 0,
		.ipv6 = true},
	{.what = "IPv6 late start", .request = request_late_start, .ipv6 = true},
	{.what = "IPv6 over IPv4", .request = request_other_family, .ipv6 = true},
};

static void
test_contradictions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(contradictions); i++) {
		const struct packet packet = {.ipv6 = contradictions[i].ipv6, .payload = 66000};
		struct frame_offload offload = to_cut(&packet, 1000);
		struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];

		packet_write(&packet, whole);
		if (contradictions[i].offset > 0)
			whole[contradictions[i].offset] = contradictions[i].value;
		struct rte_mbuf *mbuf = packet_chain(eal_fixture_pool(), whole,
			packet_length(&packet), contradictions[i].first, 0);
		mbuf->l2_len = packet_l3(&packet);
		contradictions[i].request(&offload, mbuf);
		int rc = offload_segment(&offload, mbuf, segments);
		rte_pktmbuf_free(mbuf);
		if (rc > 0)
			rte_pktmbuf_free_bulk(segments, (unsigned)rc);
		if (rc != -EINVAL)
			fail_msg("%s: %d", contradictions[i].what, rc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		eal_unit_test(test_sizes),
		eal_unit_test(test_extension_headers),
		eal_unit_test(test_headers_of_any_length),
		eal_unit_test(test_large),
		eal_unit_test(test_chain_input),
		eal_unit_test(test_flags),
		eal_unit_test(test_wraps),
		eal_unit_test(test_no_memory),
		eal_unit_test(test_too_many),
		eal_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
