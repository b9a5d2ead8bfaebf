/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow hash: which flows it distinguishes, and that it reads only the head. */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame/hash.h"
#include "packets.h"

static uint8_t bytes[2048];

static uint32_t
hash_head(const struct packet *packet, const uint8_t *head, uint16_t head_len)
{
	const struct frame frame = {.head = head,
		.head_len = head_len,
		.len = packet_length(packet),
		.l2_len = packet_l3(packet),
		.vlan = packet->vlan & 0xfff};

	return frame_flow_hash(&frame);
}

static uint32_t
hash_of(const struct packet *packet)
{
	packet_write(packet, bytes);
	return hash_head(packet, bytes, (uint16_t)packet_length(packet));
}

static void
test_same_flow(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct packet packet = {
			.ipv6 = kind & 1, .udp = kind & 2, .tagged = kind & 4, .payload = 1};
		uint32_t hash = hash_of(&packet);

		for (uint32_t payload = 0; payload < 64; payload++) {
			packet.payload = payload;
			packet.seq = payload * 99;
			packet.id = (uint16_t)payload;
			packet.flags = (uint8_t)payload;
			packet.src = 0x1234567890ac + payload * 256;
			assert_int_equal(hash_of(&packet), hash);
		}
		/* Ports behind extension headers of IPv6 are not read. */
		packet.ip_options = packet.ipv6 ? 0 : 12;
		assert_int_equal(hash_of(&packet), hash);
	}
}

/** 64 flows that differ in one port number have nearly as many hashes. */
static void
test_other_flows(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct packet packet = {.ipv6 = kind & 1, .udp = kind & 2};
		uint32_t queues[4] = {0};

		for (uint16_t port = 0; port < 64; port++) {
			packet.src_port = (uint16_t)(1000 + port);
			queues[hash_of(&packet) % 4]++;
		}
		for (unsigned i = 0; i < COUNT(queues); i++)
			assert_uint_in_range(queues[i], 4, 40);
	}
}

/** Only the first fragment has ports: the ports of no fragment count. */
static void
test_fragments(void **state)
{
	struct packet packet = {.udp = true, .fragment = true, .src_port = 1000};
	uint32_t hash = hash_of(&packet);

	(void)state;
	packet.src_port = 2000;
	assert_int_equal(hash_of(&packet), hash);
	packet.fragment = false;
	assert_int_not_equal(hash_of(&packet), hash);
	/* A later fragment: an offset instead of the more-fragments flag. */
	packet_write(&packet, bytes);
	packet_put16(bytes + packet_l3(&packet) + 6, 100);
	assert_int_equal(hash_head(&packet, bytes, (uint16_t)packet_length(&packet)), hash);
}

/** Neither IPv4 nor IPv6: addresses and VLAN. */
static void
test_other_types(void **state)
{
	struct packet packet = {.tagged = true, .vlan = 5};
	struct packet other = packet;
	uint32_t hash, found;

	(void)state;
	packet_write(&packet, bytes);
	packet_put16(bytes + packet_l3(&packet) - 2, 0x0806);
	hash = hash_head(&packet, bytes, 60);
	bytes[40]++;
	assert_int_equal(hash_head(&packet, bytes, 60), hash);
	other.vlan = 6;
	found = hash_head(&other, bytes, 60);
	assert_int_not_equal(found, hash);
	bytes[0] ^= 2;
	assert_int_not_equal(hash_head(&packet, bytes, 60), hash);
}

/** Heads of any length end right before inaccessible memory. */
static void
test_reads_no_further(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	for (unsigned kind = 0; kind < 16; kind++) {
		const struct packet packet = {.ipv6 = kind & 1,
			.udp = kind & 2,
			.tagged = kind & 4,
			.ip_options = kind & 8 ? 40 : 0};

		packet_write(&packet, bytes);
		for (uint16_t length = packet_l3(&packet); length <= packet_headers(&packet);
			length++) {
			uint8_t *head = pages + page - length;
			memcpy(head, bytes, length);
			uint32_t hash = hash_head(&packet, head, length);
			assert_int_equal(hash_head(&packet, bytes, length), hash);
		}
	}
	munmap(pages, 2 * page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_flow),
		cmocka_unit_test(test_other_flows),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_reads_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
