/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that a port may use as source and announce in ARP and neighbour discovery. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "features/table.h"
#include "features/neighbours/neighbour.h"
#include "features/storm/rate.h"
#include "sections.h"

enum { SPACE = 256, ND_NS = 135, ND_NA = 136, ICMPV6 = 58, HOPBYHOP = 0, FRAGMENT = 44, AH = 51 };

static const uint8_t own[] = {2, 0, 0, 0, 0, 1};
static const uint8_t other[] = {2, 0, 0, 0, 0, 9};

/* A frame under construction; checks get a copy in memory of exactly its length. */
struct draft {
	uint8_t bytes[SPACE];
	uint16_t n;
	uint16_t ipv6; /* offset of the header */
	struct frame_offload offload;
};

static void
put(struct draft *draft, const void *bytes, size_t n)
{
	memcpy(draft->bytes + draft->n, bytes, n);
	draft->n += (uint16_t)n;
}

static void
put16(struct draft *draft, uint16_t value)
{
	put(draft, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static struct draft
ethernet(uint16_t type)
{
	struct draft draft = {.n = 0};

	put(&draft, "\xff\xff\xff\xff\xff\xff", 6);
	put(&draft, own, 6);
	put16(&draft, type);
	return draft;
}

static void
arp(struct draft *draft, const uint8_t sender[6])
{
	put(draft, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 1}, 8);
	put(draft, sender, 6);
	put(draft, (uint8_t[14]){10, 0, 0, 1}, 14);
}

static void
ipv6(struct draft *draft, uint8_t next)
{
	draft->ipv6 = draft->n;
	put(draft, (uint8_t[40]){[0] = 0x60, [6] = next, [7] = 255}, 40);
}

/** An extension header of eight bytes. */
static void
extension(struct draft *draft, uint8_t next, uint16_t fragment)
{
	put(draft, (uint8_t[8]){next, 0, (uint8_t)(fragment >> 8), (uint8_t)fragment}, 8);
}

/** A neighbour discovery message without options. */
static void
message(struct draft *draft, uint8_t type)
{
	static const uint8_t fixed[] = {8, 16, 24, 24, 40};

	put(draft, (uint8_t[40]){type}, type >= 133 ? fixed[type - 133] : 8);
}

static void
option(struct draft *draft, uint8_t type, const uint8_t mac[6])
{
	put(draft, (uint8_t[]){type, 1}, 2);
	put(draft, mac, 6);
}

/** The frame as received from a guest: only the first bytes are in the head. */
static bool
passes_headed(struct draft *draft, uint16_t head_len)
{
	struct macs macs = {.mac = {UINT64_C(0x070000000002), mac_load(own)}, .n = 2};
	uint8_t *head = malloc(head_len);

	if (draft->ipv6 != 0) {
		uint16_t payload = (uint16_t)(draft->n - draft->ipv6 - 40);
		draft->bytes[draft->ipv6 + 4] = (uint8_t)(payload >> 8);
		draft->bytes[draft->ipv6 + 5] = (uint8_t)payload;
	}
	memcpy(head, draft->bytes, head_len);
	struct frame frame = {
		.head = head, .head_len = head_len, .len = draft->n, .offload = draft->offload};
	bool passes = neighbour_may_pass(&frame, &macs);
	free(head);
	return passes;
}

static bool
passes(struct draft *draft)
{
	return passes_headed(draft, draft->n);
}

static void
test_arp(void **state)
{
	static const uint16_t types[] = {0x0806, 0x8035};

	(void)state;
	for (unsigned i = 0; i < COUNT(types); i++) {
		struct draft good = ethernet(types[i]), bad = ethernet(types[i]);

		arp(&good, own);
		arp(&bad, other);
		assert_true(passes(&good));
		assert_false(passes(&bad));
		for (uint16_t length = 14; length < 14 + 14; length++)
			assert_false(passes_headed(&good, length));
		good.bytes[14 + 4] = 8;
		assert_false(passes(&good));
		good.bytes[14 + 4] = 6;
		good.offload = (struct frame_offload){.flags = FRAME_CSUM, .csum_start = 14};
		assert_false(passes(&good));
	}
}

static void
test_tags(void **state)
{
	static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100};

	(void)state;
	for (unsigned n = 0; n < 12; n++)
		for (unsigned spoofed = 0; spoofed < 2; spoofed++) {
			struct draft draft = ethernet(n > 0 ? tags[0] : 0x0806);

			for (unsigned i = 1; i <= n; i++) {
				put16(&draft, 5);
				put16(&draft, i < n ? tags[i % 3] : 0x0806);
			}
			arp(&draft, spoofed ? other : own);
			assert_int_equal(passes(&draft), !spoofed && n < 8);
			if (n > 0)
				assert_false(passes_headed(&draft, 14));
		}
}

static void
test_snap(void **state)
{
	struct draft draft = ethernet(36);

	(void)state;
	put(&draft, (uint8_t[]){0xaa, 0xaa, 3, 0, 0, 0, 8, 6}, 8);
	arp(&draft, other);
	assert_false(passes(&draft));
	draft.bytes[14 + 5] = 0xf8;
	assert_false(passes(&draft));
	draft.bytes[14 + 5] = 1; /* an organization's own */
	assert_true(passes(&draft));
	draft.bytes[14] = 0x42; /* spanning tree */
	assert_true(passes(&draft));
	assert_false(passes_headed(&draft, 21));
}

static void
test_messages(void **state)
{
	(void)state;
	for (uint8_t type = 130; type < 140; type++)
		for (uint8_t kind = 0; kind < 4; kind++) {
			bool discovery = type >= 133 && type <= 137;
			struct draft good = ethernet(0x86dd), bad = ethernet(0x86dd);

			ipv6(&good, ICMPV6);
			message(&good, discovery ? type : 0);
			good.bytes[good.ipv6 + 40] = type;
			bad = good;
			assert_true(passes(&good));
			option(&good, kind, own);
			option(&good, 14, other); /* a nonce may have any value */
			option(&bad, 14, own);
			option(&bad, kind, other);
			assert_true(passes(&good));
			assert_int_equal(passes(&bad), !discovery || kind == 0 || kind == 3);
		}
}

static void
test_options(void **state)
{
	struct draft draft = ethernet(0x86dd);

	(void)state;
	ipv6(&draft, ICMPV6);
	message(&draft, ND_NS);
	option(&draft, 1, own);
	uint16_t at = (uint16_t)(draft.n - 8);
	/* No length; longer than the packet; an address of another length. */
	static const uint8_t lengths[] = {0, 2, 255};
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		draft.bytes[at + 1] = lengths[i];
		assert_false(passes(&draft));
	}
	option(&draft, 14, own);
	draft.bytes[at + 1] = 2;
	assert_false(passes(&draft));
	draft.bytes[at + 1] = 1;
	assert_true(passes(&draft));
	put(&draft, "x", 1);
	assert_false(passes(&draft));
	draft.n--;
	while (draft.n + 8 < SPACE)
		option(&draft, 14, own);
	assert_false(passes(&draft)); /* too many */
}

/** A message of which a part is behind the head is dropped. */
static void
test_behind_the_head(void **state)
{
	struct draft draft = ethernet(0x86dd);

	(void)state;
	ipv6(&draft, ICMPV6);
	message(&draft, ND_NA);
	option(&draft, 2, own);
	assert_true(passes(&draft));
	for (uint16_t length = 14; length < draft.n; length++)
		assert_false(passes_headed(&draft, length));
	/* Other messages pass with a part behind the head. */
	draft.bytes[draft.ipv6 + 40] = 128;
	for (uint16_t length = 14; length < draft.n; length++)
		assert_int_equal(passes_headed(&draft, length), length > 14 + 40);
	draft.bytes[draft.ipv6 + 6] = 17;
	for (uint16_t length = 14; length < draft.n; length++)
		assert_int_equal(passes_headed(&draft, length), length >= 14 + 40);
	/* A packet whose length field exceeds the frame, or covers its header only. */
	draft.bytes[draft.ipv6 + 6] = ICMPV6;
	draft.bytes[draft.ipv6 + 40] = ND_NA;
	struct macs macs = {.mac = {mac_load(own)}, .n = 1};
	const struct frame frame = {.head = draft.bytes, .head_len = draft.n, .len = draft.n};
	draft.bytes[draft.ipv6 + 5]++;
	assert_false(neighbour_may_pass(&frame, &macs));
	draft.bytes[draft.ipv6 + 5] = 0;
	assert_false(neighbour_may_pass(&frame, &macs));
}

static void
test_extensions(void **state)
{
	static const uint8_t kinds[] = {HOPBYHOP, 43, 60};

	(void)state;
	for (unsigned n = 0; n < 12; n++)
		for (unsigned spoofed = 0; spoofed < 2; spoofed++) {
			struct draft draft = ethernet(0x86dd);

			ipv6(&draft, n > 0 ? kinds[0] : ICMPV6);
			for (unsigned i = 1; i <= n; i++)
				extension(&draft, i < n ? kinds[i % 3] : ICMPV6, 0);
			message(&draft, ND_NS);
			option(&draft, 1, spoofed ? other : own);
			assert_int_equal(passes(&draft), !spoofed && n <= 8);
		}
	struct draft draft = ethernet(0x86dd);
	ipv6(&draft, AH);
	extension(&draft, ICMPV6, 0);
	draft.bytes[draft.n - 7] = 1; /* in units of 4 bytes, less 2 */
	put(&draft, (uint8_t[4]){0}, 4);
	message(&draft, ND_NS);
	option(&draft, 1, other);
	assert_false(passes(&draft));
	memcpy(draft.bytes + draft.n - 6, own, 6);
	assert_true(passes(&draft));
}

static struct draft
fragment(uint16_t where, uint8_t of, uint8_t type)
{
	struct draft draft = ethernet(0x86dd);

	ipv6(&draft, FRAGMENT);
	extension(&draft, of, where);
	message(&draft, type);
	return draft;
}

static void
test_fragments(void **state)
{
	(void)state;
	/* Fragmented neighbour discovery is dropped (RFC 6980), even with a single fragment. */
	assert_false(passes(&(struct draft[]){fragment(0, ICMPV6, ND_NS)}[0]));
	assert_false(passes(&(struct draft[]){fragment(1, ICMPV6, ND_NS)}[0]));
	/* Long echo requests, and their later fragments. */
	assert_true(passes(&(struct draft[]){fragment(1, ICMPV6, 128)}[0]));
	assert_true(passes(&(struct draft[]){fragment(8, ICMPV6, 0)}[0]));
	assert_true(passes(&(struct draft[]){fragment(8, 17, 0)}[0]));
	/* Headers in several fragments, or that a later fragment might overwrite. */
	assert_false(passes(&(struct draft[]){fragment(8, 60, 0)}[0]));
	struct draft draft = fragment(1, 60, 0);
	draft.n = (uint16_t)(draft.n - 4);
	assert_false(passes(&draft));
}

/** A checksum that the receiver is to write must not change what was checked. */
static void
test_checksum_requests(void **state)
{
	static const uint8_t protocols[] = {ICMPV6, 17};
	struct draft draft = ethernet(0x86dd);

	(void)state;
	ipv6(&draft, ICMPV6);
	message(&draft, ND_NS);
	option(&draft, 1, own);
	uint16_t at = (uint16_t)(draft.ipv6 + 40);
	for (uint16_t field = 0; field + 2 <= draft.n; field++) {
		draft.offload = (struct frame_offload){.flags = FRAME_CSUM, .csum_offset = field};
		assert_int_equal(passes(&draft), field == at + 2);
		draft.offload.csum_start = (uint16_t)(field / 2);
		draft.offload.csum_offset = (uint16_t)(field - field / 2);
		assert_int_equal(passes(&draft), field == at + 2);
	}
	draft.offload.flags = FRAME_CSUM | FRAME_TSO6;
	draft.offload.csum_offset = (uint16_t)(at + 2 - draft.offload.csum_start);
	assert_false(passes(&draft));
	draft.bytes[at] = 128;
	for (unsigned i = 0; i < COUNT(protocols); i++)
		for (uint16_t field = 0; field + 2 <= draft.n; field++) {
			uint16_t least = protocols[i] == ICMPV6 ? at + 2 : at;

			draft.bytes[draft.ipv6 + 6] = protocols[i];
			draft.offload =
				(struct frame_offload){.flags = FRAME_CSUM, .csum_start = field};
			assert_int_equal(passes(&draft), field >= least);
		}
	struct draft ipv4 = ethernet(0x0800);
	put(&ipv4, (uint8_t[60]){0x45}, 60);
	for (uint16_t field = 0; field + 2 <= ipv4.n; field++) {
		ipv4.offload = (struct frame_offload){.flags = FRAME_CSUM, .csum_start = field};
		assert_int_equal(passes(&ipv4), field >= 14);
	}
}

/* Storms -------------------------------------------------------------------------------------- */

/** The bytes that pass in a second, offered in bursts of n at every step. */
static uint64_t
passed(_Atomic uint64_t *due, const struct storm_rate *rate, uint64_t from, uint64_t hz,
	uint64_t every, uint16_t n)
{
	uint64_t sum = 0;

	for (uint64_t now = from; now < from + hz; now += every)
		sum += storm_pass(due, rate, now, n);
	return sum;
}

static void
test_storm_rate(void **state)
{
	static const uint64_t rates[] = {1, 7, 1000, 123456, 1000000};
	const uint64_t hz = 2100000000;

	(void)state;
	for (unsigned i = 0; i < COUNT(rates); i++) {
		uint64_t pps = rates[i], burst = pps < 10 ? 1 : pps / 10;
		struct storm_rate rate;
		_Atomic uint64_t due = 0;

		storm_rate_set(&rate, pps, hz);
		/* After a pause, a burst; from then on the rate. The clock may wrap. */
		uint64_t start = UINT64_MAX - hz * 2;
		assert_uint_in_range(
			passed(&due, &rate, start, hz, hz / 100000, 32), pps, pps + burst + 1);
		uint64_t next = passed(&due, &rate, start + hz, hz, hz / 100000, 32);
		assert_uint_in_range(
			next, pps - pps / 100 - (pps > 1 ? 1 : 0), pps + pps / 100 + 1);
		/* Another lcore, whose clock is slightly behind, gets no additional tokens. */
		assert_uint_in_range(
			storm_pass(&due, &rate, start + 2 * hz - 1000, 32), 0, pps / 100000 + 1);
		/* A year without frames is a pause like any other. */
		uint16_t most = burst < 32 ? (uint16_t)burst : 32;
		assert_int_equal(storm_pass(&due, &rate, start + 365 * 86400 * hz, 32), most);
	}
}

static void
test_storm_below_rate(void **state)
{
	const uint64_t hz = 2000000000;
	struct storm_rate rate;
	_Atomic uint64_t due = 0;

	(void)state;
	storm_rate_set(&rate, 1000, hz);
	assert_int_equal(passed(&due, &rate, 1, hz, hz / 900, 1), 901);
	assert_int_equal(storm_pass(&due, &rate, 20 * hz, 0), 0);
}

/* Keys ---------------------------------------------------------------------------------------- */

static void
test_list(void **state)
{
	char list[SOURCES_TEXT + 32] = "";
	struct macs macs;
	struct err err;

	(void)state;
	assert_int_equal(macs_parse("", &macs, &err), 0);
	assert_int_equal(macs.n, 0);
	assert_int_equal(macs_parse("02:00:00:00:00:01,02-00-00-00-00-0A", &macs, &err), 0);
	assert_int_equal(macs.n, 2);
	assert_true(macs_has(&macs, UINT64_C(0x010000000002)));
	assert_true(macs_has(&macs, UINT64_C(0x0a0000000002)));
	assert_false(macs_has(&macs, UINT64_C(0x0b0000000002)));
	for (unsigned i = 0; i < SOURCES_MAX; i++)
		sprintf(list + strlen(list), "%s02:00:00:00:00:%02x", i > 0 ? "," : "", i);
	assert_int_equal(macs_parse(list, &macs, &err), 0);
	assert_int_equal(macs.n, SOURCES_MAX);
	assert_true(strlen(list) < SOURCES_TEXT);
	strcat(list, ",02:00:00:00:01:00");
	assert_int_equal(macs_parse(list, &macs, &err), -EINVAL);
	assert_contains(err.text, "more than 32 addresses");
}

static void
test_bad_keys(void **state)
{
	static const struct {
		const char *macs;
		bool arp;
		const char *says;
	} bad[] = {
		{"02:00:00:00:00:01,", false, "macs: '' is not an address"},
		{",02:00:00:00:00:01", false, "macs: '' is not an address"},
		{"02:00:00:00:00:0", false, "'02:00:00:00:00:0' is not an address"},
		{"02:00:00:00:00:01 ", false, "is not an address"},
		{"02:00:00:00:00:01;02:00:00:00:00:02", false, "is not an address"},
		{"03:00:00:00:00:01", false, "03:00:00:00:00:01 is no address that a frame may"},
		{"00:00:00:00:00:00", false, "is no address that a frame may"},
		{"02:00:00:00:00:0a,02:00:00:00:00:0A", false, "02:00:00:00:00:0a is named twice"},
		{"", true, "macs-arp: needs macs"},
	};
	struct port_config config;
	struct err err;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		config = (struct port_config){.name = "port"};
		strcpy(SECTION(&config, sources)->macs, bad[i].macs);
		SECTION(&config, neighbours)->macs_arp = bad[i].arp;
		assert_int_equal(features_check(&config, &err), -EINVAL);
		assert_contains(err.text, bad[i].says);
		assert_int_equal(features_check(&config, NULL), -EINVAL);
	}
	config = (struct port_config){.name = "port"};
	assert_int_equal(features_check(&config, &err), 0);
	strcpy(SECTION(&config, sources)->macs, "02:00:00:00:00:01");
	SECTION(&config, neighbours)->macs_arp = true;
	assert_int_equal(features_check(&config, &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_behind_the_head),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_checksum_requests),
		cmocka_unit_test(test_storm_rate),
		cmocka_unit_test(test_storm_below_rate),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_bad_keys),
	};

	return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
