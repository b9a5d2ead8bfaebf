/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages parsed, classification of packets, the table of groups, the ring to control. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snoop/classify.h"
#include "snoop/packet.h"
#include "snoop/parse.h"
#include "snoop/ring.h"
#include "snoop/table.h"
#include "snoop_help.h"

#define GROUP  "239.1.2.3"
#define GROUP6 "ff05::1234"

static struct message packet;
static struct snoop_message parsed;

static int
parse(void)
{
	return snoop_parse(packet.bytes, packet.len, packet.ipv6, &parsed);
}

static enum snoop_class
classify(void)
{
	struct snoop_ip group;

	return snoop_classify(
		packet.bytes, packet.len, packet.ipv6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4, &group);
}

static void
check_ip(const struct snoop_ip *ip, const char *text)
{
	char shown[SNOOP_IP_TEXT_MAX];

	assert_string_equal(snoop_ip_format(ip, shown), text);
}

/** Check that the next record is this one, with its number of sources. */
static void
check_record(enum snoop_change change, const char *group, unsigned sources)
{
	struct snoop_record record;

	assert_true(snoop_next_record(&parsed, &record));
	assert_int_equal(record.change, change);
	check_ip(&record.group, group);
	assert_int_equal(record.n_sources, sources);
}

static void
check_end(void)
{
	struct snoop_record record;

	assert_false(snoop_next_record(&parsed, &record));
}

static void
test_simple_reports(void **state)
{
	static const struct {
		uint8_t type, version;
		enum snoop_change change;
		const char *group, *source;
	} cases[] = {
		{0x12, 1, SNOOP_EXCLUDE, GROUP, "10.9.0.9"},
		{0x16, 2, SNOOP_EXCLUDE, GROUP, "0.0.0.0"},
		{0x17, 2, SNOOP_TO_INCLUDE, GROUP, "10.9.0.9"},
		{131, 1, SNOOP_EXCLUDE, GROUP6, "fe80::9"},
		{131, 1, SNOOP_EXCLUDE, GROUP6, "::"},
		{132, 1, SNOOP_TO_INCLUDE, GROUP6, "fe80::9"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		message_simple(&packet, cases[i].type, 0, cases[i].source, cases[i].group);
		assert_int_equal(parse(), 0);
		assert_int_equal(parsed.kind, SNOOP_REPORT);
		assert_int_equal(parsed.version, cases[i].version);
		check_ip(&parsed.source, cases[i].source);
		check_record(cases[i].change, cases[i].group, 0);
		check_end();
		assert_int_equal(classify(), SNOOP_CLASS_REPORT);
	}
}

static void
test_queries(void **state)
{
	(void)state;
	message_simple(&packet, 0x11, 0, "10.0.0.1", "0.0.0.0");
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.kind, SNOOP_QUERY);
	assert_int_equal(parsed.version, 1);
	message_simple(&packet, 0x11, 100, "10.0.0.1", GROUP);
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 2);
	check_ip(&parsed.group, GROUP);
	message_add(&packet, "0000 0001 0a010101");
	message_close(&packet);
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 3);
	assert_int_equal(classify(), SNOOP_CLASS_ROUTER);
	message_simple(&packet, 130, 0, "fe80::1", "::");
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 1);
	message_add(&packet, "0000 0000");
	message_close(&packet);
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 2);
	assert_int_equal(classify(), SNOOP_CLASS_ROUTER);
}

/** Reports of many records; auxiliary data and unknown types are passed over. */
static void
test_records(void **state)
{
	struct snoop_record record;

	(void)state;
	message_begin(&packet, "10.9.0.9", "224.0.0.22");
	message_add(&packet, "2200 0000 0000 0005"
			     "0100 0002 ef010101 0a000001 0a000002"
			     "0401 0000 ef010102 deadbeef"
			     "0700 0000 ef010103"
			     "0300 0000 ef010104"
			     "0600 0001 ef010105 0a000001");
	message_close(&packet);
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 3);
	assert_true(snoop_next_record(&parsed, &record));
	assert_int_equal(record.change, SNOOP_INCLUDE);
	struct snoop_ip second = snoop_record_source(&record, 1);
	check_ip(&second, "10.0.0.2");
	check_record(SNOOP_EXCLUDE, "239.1.1.2", 0);
	check_record(SNOOP_TO_INCLUDE, "239.1.1.4", 0);
	check_record(SNOOP_BLOCK, "239.1.1.5", 1);
	check_end();
	message_record(&packet, 5, GROUP6, "fd00::7");
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.version, 2);
	check_record(SNOOP_INCLUDE, GROUP6, 1);
	check_end();
}

/** A report as another implementation writes it. */
static void
test_foreign(void **state)
{
	(void)state;
	memset(&packet, 0, sizeof(packet));
	message_add(&packet, "46c0003800010000010239d70a090009e0000016940400002200d7de00000002"
			     "02000000ef01020305000002ef0909090a0101010a010102");
	assert_int_equal(parse(), 0);
	check_record(SNOOP_EXCLUDE, GROUP, 0);
	check_record(SNOOP_INCLUDE, "239.9.9.9", 2);
	memset(&packet, 0, sizeof(packet));
	packet.ipv6 = true;
	message_add(&packet, "6000000000240001fe800000000000000000000000000001"
			     "ff0200000000000000000000000000013a00050200000100"
			     "82007fbf006400000000000000000000000000000000000000000000");
	assert_int_equal(parse(), 0);
	assert_int_equal(parsed.kind, SNOOP_QUERY);
	assert_int_equal(parsed.version, 2);
}

/**
 * Every packet, with each byte changed and cut anywhere, parsed from memory of exactly that length.
 */
static void
test_every_byte(void **state)
{
	static const char *const groups[] = {GROUP, GROUP6};

	(void)state;
	for (unsigned g = 0; g < COUNT(groups); g++) {
		message_record(&packet, 5, groups[g], g == 0 ? "10.1.1.1" : "fd00::7");
		for (uint32_t len = 0; len < packet.len; len++) {
			uint8_t *cut = malloc(len > 0 ? len : 1);
			memcpy(cut, packet.bytes, len);
			assert_true(snoop_parse(cut, len, packet.ipv6, &parsed) < 0);
			free(cut);
		}
		/* IPv6: traffic class, flow label and the padding of options are not checked. */
		for (uint32_t at = 0; at < packet.len; at++) {
			if (packet.ipv6 && ((at >= 1 && at < 4) || at >= 46))
				if (at < packet.body)
					continue;
			packet.bytes[at] ^= 0x10;
			if (!(packet.ipv6 && at == 0))
				assert_true(parse() < 0);
			packet.bytes[at] ^= 0x10;
		}
		assert_int_equal(parse(), 0);
	}
}

/** Invalid lengths and fields, with right checksums. */
static void
test_bad(void **state)
{
	(void)state;
	message_simple(&packet, 0x16, 0, "10.9.0.9", "10.1.2.3");
	assert_int_equal(parse(), -EBADMSG);
	message_record(&packet, 5, GROUP, "10.1.1.1");
	packet.bytes[packet.body + 7] = 2;
	message_close(&packet);
	assert_int_equal(parse(), -EBADMSG);
	message_record(&packet, 5, GROUP, "10.1.1.1");
	packet.bytes[packet.body + 10] = 0xff;
	message_close(&packet);
	assert_int_equal(parse(), -EBADMSG);
	message_simple(&packet, 0x11, 1, "10.0.0.1", "0.0.0.0");
	message_add(&packet, "0000");
	message_close(&packet);
	assert_int_equal(parse(), -EBADMSG);
	message_simple(&packet, 0x16, 0, "10.9.0.9", GROUP);
	packet.bytes[6] = 0x20;
	message_close(&packet);
	assert_int_equal(parse(), -EBADMSG);
	message_simple(&packet, 0x44, 0, "10.9.0.9", GROUP);
	assert_int_equal(parse(), -ENOMSG);
	assert_int_equal(classify(), SNOOP_CLASS_FLOOD);
}

/** Requirements of MLD beyond those of IGMP. */
static void
test_bad_mld(void **state)
{
	(void)state;
	message_simple(&packet, 131, 0, "fd00::9", GROUP6);
	assert_int_equal(parse(), -EBADMSG);
	message_simple(&packet, 130, 0, "::", "::");
	assert_int_equal(parse(), -EBADMSG);
	message_simple(&packet, 131, 0, "fe80::9", GROUP6);
	packet.bytes[7] = 2;
	assert_int_equal(parse(), -EBADMSG);
	/* Other options in place of Router Alert: padding, another type, a truncated one. */
	static const char *const options[] = {"0104 00000000", "0502 0001 0100", "0506 0000 0000"};
	for (unsigned i = 0; i < COUNT(options); i++) {
		message_simple(&packet, 131, 0, "fe80::9", GROUP6);
		uint32_t len = packet.len;
		packet.len = 42;
		message_add(&packet, options[i]);
		packet.len = len;
		assert_int_equal(parse(), -EBADMSG);
	}
}

static void
test_classify(void **state)
{
	static const struct {
		const char *group;
		enum snoop_class class;
	} cases[] = {
		{"239.1.2.3", SNOOP_CLASS_DATA},
		{"224.0.1.1", SNOOP_CLASS_DATA},
		{"224.0.0.251", SNOOP_CLASS_FLOOD},
		{"10.1.2.3", SNOOP_CLASS_FLOOD},
		{"255.255.255.255", SNOOP_CLASS_FLOOD},
		{"ff05::1", SNOOP_CLASS_DATA},
		{"ff02::fb", SNOOP_CLASS_DATA},
		{"ff02::1", SNOOP_CLASS_FLOOD},
		{"ff01::5", SNOOP_CLASS_FLOOD},
		{"fd00::1", SNOOP_CLASS_FLOOD},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		bool ipv6 = strchr(cases[i].group, ':') != NULL;
		message_begin(&packet, ipv6 ? "fe80::1" : "10.0.0.1", cases[i].group);
		packet.bytes[ipv6 ? 6 : 9] = 17;
		message_add(&packet, "0000000000000000");
		assert_int_equal(classify(), cases[i].class);
		packet.len = ipv6 ? 39 : 19;
		assert_int_equal(classify(), SNOOP_CLASS_FLOOD);
	}
}

static void
test_table(void **state)
{
	struct snoop_table *table = snoop_table_create(7, 1000, 1001);

	(void)state;
	assert_non_null(table);
	table->routers[0][5] = snoop_table_add_set(table, SNOOP_NO_SET);
	table->routers[1][5] = table->routers[0][5];
	snoop_set_add(&table->sets[0], PORT_MAX - 1);
	for (unsigned i = 0; i < 1000; i++) {
		const uint8_t bytes[] = {239, 1, (uint8_t)(i >> 8), (uint8_t)i};
		struct snoop_ip ip = snoop_ip4(bytes);
		uint16_t set = snoop_table_add_set(table, 0);
		snoop_set_add(&table->sets[set], (uint16_t)i);
		snoop_table_add(table, 5, &ip, set);
	}
	for (unsigned i = 0; i < 1000; i++) {
		const uint8_t bytes[] = {239, 1, (uint8_t)(i >> 8), (uint8_t)i};
		struct snoop_ip ip = snoop_ip4(bytes);
		uint16_t set = snoop_table_find(table, 5, &ip);
		assert_uint_in_range(set, 1, 1000);
		assert_true(snoop_set_has(&table->sets[set], (uint16_t)i));
		assert_true(snoop_set_has(&table->sets[set], PORT_MAX - 1));
		assert_false(snoop_set_has(&table->sets[set], (uint16_t)(i + 1)));
		assert_int_equal(snoop_table_find(table, 6, &ip), SNOOP_NO_SET);
	}
	struct snoop_ip other = ip_of("239.2.0.1"), neighbour = ip_of("ff02::1:ff00:1");
	struct snoop_ip other6 = ip_of("ff05::7");
	assert_int_equal(snoop_table_find(table, 5, &other), 0);
	assert_int_equal(snoop_table_find(table, 5, &other6), 0);
	assert_int_equal(snoop_table_find(table, 5, &neighbour), SNOOP_NO_SET);
	snoop_table_free(table);
}

/** No port gets more than its share of the ring before the control thread has read it. */
static void
test_ring(void **state)
{
	struct snoop_ring *ring = snoop_ring_create();
	unsigned pushed = 0;

	(void)state;
	assert_non_null(ring);
	assert_null(snoop_ring_front(ring));
	for (uint16_t port = 0; port < 5; port++)
		for (unsigned i = 0; i < SNOOP_RING_SHARE + 1; i++) {
			struct snoop_copy *copy = snoop_ring_space(ring, port);
			if (copy == NULL)
				continue;
			copy->port = port;
			copy->len = (uint16_t)i;
			snoop_ring_push(ring);
			pushed++;
		}
	assert_int_equal(pushed, SNOOP_RING_SLOTS);
	assert_int_equal(spsc_lost(&ring->spsc), 5 * (SNOOP_RING_SHARE + 1) - SNOOP_RING_SLOTS);
	for (unsigned i = 0; i < SNOOP_RING_SLOTS; i++) {
		const struct snoop_copy *copy = snoop_ring_front(ring);
		assert_int_equal(copy->port, i / SNOOP_RING_SHARE);
		assert_int_equal(copy->len, i % SNOOP_RING_SHARE);
		snoop_ring_pop(ring);
	}
	assert_null(snoop_ring_front(ring));
	assert_non_null(snoop_ring_space(ring, 0));
	snoop_ring_destroy(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple_reports),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_mld),
		cmocka_unit_test(test_classify),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
