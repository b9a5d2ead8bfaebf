/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums done in software, and private copies of shared mbufs. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/offload.h"
#include "packets.h"

static uint8_t before[PACKET_MAX], after[PACKET_MAX];

static struct frame_offload
open_checksum(const struct packet *packet)
{
	return (struct frame_offload){.flags = FRAME_CSUM,
		.csum_start = packet_l4(packet),
		.csum_offset = packet->udp ? PACKET_UDP_CSUM : PACKET_TCP_CSUM};
}

/** Compute the checksum of a frame in a chain: it must be right, and all other bytes unchanged. */
static void
check_closed(const struct packet *packet, uint16_t first, uint16_t rest)
{
	const struct frame_offload offload = open_checksum(packet);
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), packet, first, rest);
	uint32_t length = packet_read(mbuf, before);
	uint32_t field = (uint32_t)offload.csum_start + offload.csum_offset;
	const char *wrong;

	mbuf->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_RX_RSS_HASH;
	assert_int_equal(offload_checksum(&offload, mbuf), 0);
	assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_RX_RSS_HASH);
	assert_int_equal(packet_read(mbuf, after), length);
	rte_pktmbuf_free(mbuf);
	wrong = packet_wrong(after, length);
	if (wrong != NULL)
		fail_msg("%s of %s %s, %u bytes of payload in segments of %u, %u", wrong,
			packet->udp ? "UDP" : "TCP", packet->ipv6 ? "IPv6" : "IPv4",
			packet->payload, first, rest);
	memcpy(after + field, before + field, 2);
	assert_memory_equal(after, before, length);
}

/** All kinds of frames, with this payload. */
static void
check_kinds(uint32_t payload, uint16_t beyond, uint16_t rest)
{
	for (unsigned kind = 0; kind < 32; kind++) {
		const struct packet packet = {.udp = kind & 1,
			.ipv6 = kind & 2,
			.tagged = kind & 4,
			.vlan = 42,
			.outer = (kind & 12) == 12,
			.ip_options = kind & 16 ? 16 : 0,
			.payload = payload,
			.payload_first = 0x91};

		check_closed(&packet, rest > 0 ? packet_headers(&packet) + beyond : 0, rest);
	}
}

static void
test_lengths(void **state)
{
	(void)state;
	for (uint32_t payload = 0; payload < 70; payload++)
		check_kinds(payload, 0, 0);
	for (uint32_t payload = 1400; payload < 1410; payload++)
		check_kinds(payload, 0, 0);
}

/** Frames in segments cut at any offset: of one byte, of odd and of even lengths. */
static void
test_chains(void **state)
{
	(void)state;
	for (uint16_t beyond = 0; beyond < 4; beyond++)
		for (uint16_t rest = 1; rest < 12; rest++)
			check_kinds(300 + rest, beyond, rest);
	for (uint16_t beyond = 0; beyond < 2; beyond++) {
		check_kinds(9000, beyond, 1500);
		check_kinds(9001, beyond, 1501);
		check_kinds(60001, beyond, 2047);
	}
}

/** Bytes of all ones make the largest sums. */
static void
test_large_sums(void **state)
{
	const struct packet packet = {.payload = 8000};
	const struct frame_offload offload = open_checksum(&packet);
	uint32_t headers = packet_headers(&packet), length = packet_length(&packet);

	(void)state;
	for (uint16_t odd = 0; odd < 2; odd++) {
		packet_write(&packet, before);
		memset(before + headers, 0xff, packet.payload);
		struct rte_mbuf *mbuf = packet_chain(
			eal_fixture_pool(), before, length, (uint16_t)(headers + odd), 2048);
		assert_int_equal(offload_checksum(&offload, mbuf), 0);
		packet_read(mbuf, after);
		rte_pktmbuf_free(mbuf);
		assert_null(packet_wrong(after, length));
	}
}

/** A UDP checksum of 0 is written as ffff: 0 means that there is no checksum. */
static void
test_zero_sum(void **state)
{
	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct packet packet = {.udp = true, .ipv6 = ipv6 != 0, .payload = 64};
		const struct frame_offload offload = open_checksum(&packet);
		uint32_t length = packet_length(&packet);
		uint16_t l4 = packet_l4(&packet);

		(void)state;
		packet_write(&packet, before);
		packet_put16(before + length - 2, 0);
		packet_put16(
			before + length - 2, (uint16_t)~packet_sum(before + l4, length - l4, 0));
		struct rte_mbuf *mbuf = packet_chain(eal_fixture_pool(), before, length, 0, 0);
		assert_int_equal(offload_checksum(&offload, mbuf), 0);
		packet_read(mbuf, after);
		rte_pktmbuf_free(mbuf);
		assert_int_equal(packet_get16(after + l4 + PACKET_UDP_CSUM), 0xffff);
		assert_null(packet_wrong(after, length));
	}
}

static void
test_offsets(void **state)
{
	static const struct {
		uint16_t start;
		uint16_t offset;
		int rc;
	} cases[] = {
		{0, 0, 0},
		{98, 0, 0},
		{0, 98, 0},
		{82, 16, 0},
		{99, 0, -EINVAL},
		{100, 0, -EINVAL},
		{83, 16, -EINVAL},
		{0, 99, -EINVAL},
		{0, 255, -EINVAL},
		{65535, 0, -EINVAL},
		{65535, 255, -EINVAL},
		{0, 256, -EINVAL},
		{34, 65535, -EINVAL},
		{65535, 65535, -EINVAL},
		{65534, 2, -EINVAL},
	};
	uint8_t expected[100];

	(void)state;
	memset(before, 0x5a, 100);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct frame_offload offload = {.flags = FRAME_CSUM,
			.csum_start = cases[i].start,
			.csum_offset = cases[i].offset};
		struct rte_mbuf *mbuf = packet_chain(eal_fixture_pool(), before, 100, 0, 0);

		assert_int_equal(offload_checksum(&offload, mbuf), cases[i].rc);
		packet_read(mbuf, after);
		rte_pktmbuf_free(mbuf);
		memcpy(expected, before, sizeof(expected));
		if (cases[i].rc == 0)
			packet_put16(expected + cases[i].start + cases[i].offset,
				(uint16_t)~packet_sum(before + cases[i].start,
					sizeof(expected) - cases[i].start, 0));
		assert_memory_equal(after, expected, sizeof(expected));
	}
}

/** The headers may be in any segment, the two bytes of the checksum in two. */
static void
test_field_anywhere(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		const struct packet packet = {.udp = kind & 1, .ipv6 = kind & 2, .payload = 33};

		for (uint16_t first = 1; first <= packet_headers(&packet); first++) {
			check_closed(&packet, first, 0);
			check_closed(&packet, first, 1);
			check_closed(&packet, first, 3);
		}
	}
}

/* Private copies ------------------------------------------------------------------------------ */

static void
test_unshare_own(void **state)
{
	const struct packet packet = {.payload = 5000};
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 100, 1000);

	(void)state;
	assert_ptr_equal(offload_unshare(mbuf), mbuf);
	rte_pktmbuf_free(mbuf);
}

/** The copy is referenced by the caller only, and the other references keep their data. */
static void
check_copied(struct rte_mbuf *shared, struct rte_mbuf *kept)
{
	uint32_t length = packet_read(shared, before);
	unsigned l2_len = shared->l2_len;
	struct rte_mbuf *copy = offload_unshare(shared);

	assert_non_null(copy);
	assert_ptr_not_equal(copy, kept);
	assert_int_equal(copy->l2_len, l2_len);
	assert_int_equal(packet_read(copy, after), length);
	assert_memory_equal(after, before, length);
	for (struct rte_mbuf *m = copy; m != NULL; m = m->next) {
		assert_int_equal(rte_mbuf_refcnt_read(m), 1);
		assert_true(RTE_MBUF_DIRECT(m));
		memset(rte_pktmbuf_mtod(m, void *), 0, m->data_len);
	}
	rte_pktmbuf_free(copy);
	assert_int_equal(packet_read(kept, after), length);
	assert_memory_equal(after, before, length);
	for (struct rte_mbuf *m = kept; m != NULL; m = m->next)
		assert_int_equal(rte_mbuf_refcnt_read(m), 1);
	rte_pktmbuf_free(kept);
}

static void
test_unshare_shared(void **state)
{
	const struct packet packet = {.payload = 5000};

	(void)state;
	for (uint16_t first = 0; first <= 100; first += 100) {
		struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, first, 1000);

		rte_pktmbuf_refcnt_update(mbuf, 1);
		check_copied(mbuf, mbuf);
	}
}

static void
test_unshare_clone(void **state)
{
	const struct packet packet = {.payload = 5000};
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 100, 1000);
	struct rte_mbuf *clone = rte_pktmbuf_clone(mbuf, eal_fixture_pool());

	(void)state;
	check_copied(clone, mbuf);
}

static void
test_unshare_no_memory(void **state)
{
	const struct packet packet = {.payload = 5000};
	struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 100, 1000);

	(void)state;
	rte_pktmbuf_refcnt_update(mbuf, 1);
	for (unsigned left = 0; left < 2; left++) {
		struct rte_mbuf *starved = eal_fixture_starve(left);
		assert_null(offload_unshare(mbuf));
		assert_int_equal(rte_mbuf_refcnt_read(mbuf), 1);
		assert_int_equal(rte_mempool_avail_count(eal_fixture_pool()), left);
		eal_fixture_feed(starved);
		rte_pktmbuf_refcnt_update(mbuf, 1);
	}
	rte_pktmbuf_refcnt_update(mbuf, -1);
	rte_pktmbuf_free(mbuf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		eal_unit_test(test_lengths),
		eal_unit_test(test_chains),
		eal_unit_test(test_large_sums),
		eal_unit_test(test_zero_sum),
		eal_unit_test(test_offsets),
		eal_unit_test(test_field_anywhere),
		eal_unit_test(test_unshare_own),
		eal_unit_test(test_unshare_shared),
		eal_unit_test(test_unshare_clone),
		eal_unit_test(test_unshare_no_memory),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
