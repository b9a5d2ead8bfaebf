/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of VLANs as text, and the treatment of tags by ports. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "features/table.h"
#include "features/vlan/rules.h"
#include "sections.h"

static unsigned
set_size(const struct vlan_set *set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < COUNT(set->bits); i++)
		n += (unsigned)__builtin_popcountll(set->bits[i]);
	return n;
}

static void
test_sets(void **state)
{
	static const struct {
		const char *text;
		unsigned n;
		uint16_t in[4], out[4];
	} cases[] = {
		{"1", 1, {1, 1, 1, 1}, {0, 2, 4094, 4095}},
		{"4094", 1, {4094, 4094, 4094, 4094}, {0, 1, 4093, 4095}},
		{"1-4094", 4094, {1, 63, 64, 4094}, {0, 0, 4095, 4095}},
		{"10,20-29", 11, {10, 20, 25, 29}, {9, 11, 19, 30}},
		{"63-64,128", 3, {63, 64, 128, 128}, {62, 65, 127, 129}},
		{"7-7,6", 2, {6, 7, 7, 7}, {5, 8, 0, 70}},
		{"010", 1, {10, 10, 10, 10}, {8, 0, 1, 100}},
	};
	struct vlan_set set;
	struct err err = {0};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		memset(&set, 0xff, sizeof(set));
		assert_int_equal(vlan_set_parse(cases[i].text, &set, &err), 0);
		assert_int_equal(set_size(&set), cases[i].n);
		for (unsigned k = 0; k < 4; k++) {
			assert_true(vlan_set_has(&set, cases[i].in[k]));
			assert_false(vlan_set_has(&set, cases[i].out[k]));
		}
	}
}

static void
test_bad_sets(void **state)
{
	static const char *const bad[][2] = {
		{"", "1 to 4094"},
		{"0", "1 to 4094"},
		{"4095", "1 to 4094"},
		{"65537", "1 to 4094"},
		{"99999999999999999999999", "1 to 4094"},
		{"-1", "1 to 4094"},
		{"+1", "1 to 4094"},
		{" 1", "1 to 4094"},
		{"1 ", "'1 '"},
		{"1,", "''"},
		{",1", "',1'"},
		{"1,,2", "',2'"},
		{"1-", "'1-'"},
		{"1-2-3", "'1-2-3'"},
		{"1--2", "'1--2'"},
		{"9-8", "'9-8'"},
		{"1-4095", "'1-4095'"},
		{"0-5", "'0-5'"},
		{"0x10", "'0x10'"},
		{"5,5", "5 is named twice"},
		{"1-10,10-20", "10 is named twice"},
		{"15,10-20", "15 is named twice"},
	};
	struct vlan_set set;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		struct err err = {0};
		if (vlan_set_parse(bad[i][0], &set, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i][0]);
		assert_contains(err.text, bad[i][1]);
	}
}

static struct port_config
config_of(int64_t vlan, const char *trunk, int64_t native, int64_t protocol)
{
	struct port_config config = {.name = "port"};
	struct vlan_config *section = SECTION(&config, vlan);

	*section = (struct vlan_config){.vlan = vlan, .native = native, .protocol = protocol};
	strcpy(section->trunk, trunk);
	return config;
}

static void
test_check(void **state)
{
	static const struct {
		int64_t vlan;
		const char *trunk;
		int64_t native;
		const char *reason;
	} cases[] = {
		{0, "", 0, NULL},
		{10, "", 0, NULL},
		{0, "10,20", 0, NULL},
		{0, "10,20", 30, NULL},
		{0, "10,20", 10, NULL},
		{10, "20", 0, "vlan and trunk"},
		{0, "", 10, "native: needs trunk"},
		{10, "", 10, "native: needs trunk"},
		{0, "10,10", 0, "trunk: VLAN 10"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct port_config config =
			config_of(cases[i].vlan, cases[i].trunk, cases[i].native, 0);
		struct err err = {0};
		int rc = features_check(&config, &err);
		assert_int_equal(rc, cases[i].reason == NULL ? 0 : -EINVAL);
		if (rc < 0)
			assert_contains(err.text, cases[i].reason);
	}
}

static void
test_rules(void **state)
{
	struct vlan_rules rules;
	struct port_config plain = config_of(0, "", 0, VLAN_8021Q);
	struct port_config access = config_of(7, "", 0, VLAN_8021AD);
	struct port_config trunk = config_of(0, "5-6", 0, VLAN_8021Q);
	struct port_config native = config_of(0, "5-6", 9, VLAN_8021Q);

	(void)state;
	vlan_rules_of(&plain, &rules);
	assert_false(rules.filters);
	assert_int_equal(rules.tpid, 0x8100);
	for (uint16_t vlan = 0; vlan < VLAN_RESERVED; vlan++)
		assert_true(vlan_carries(&rules, vlan));
	vlan_rules_of(&access, &rules);
	assert_true(rules.filters && rules.access);
	assert_int_equal(rules.tpid, 0x88a8);
	assert_int_equal(rules.pvid, 7);
	for (uint16_t vlan = 0; vlan < VLAN_RESERVED; vlan++)
		assert_int_equal(vlan_carries(&rules, vlan), vlan == 7);
	vlan_rules_of(&trunk, &rules);
	assert_true(rules.filters && !rules.access);
	assert_int_equal(rules.pvid, 0);
	for (uint16_t vlan = 0; vlan < VLAN_RESERVED; vlan++)
		assert_int_equal(vlan_carries(&rules, vlan), vlan == 5 || vlan == 6);
	vlan_rules_of(&native, &rules);
	assert_int_equal(rules.pvid, 9);
	for (uint16_t vlan = 0; vlan < VLAN_RESERVED; vlan++)
		assert_int_equal(vlan_carries(&rules, vlan), vlan == 5 || vlan == 6 || vlan == 9);
}

enum { PLAIN, ACCESS, TRUNK, NATIVE, SERVICE, MODES, IN = -1 };

static void
rules_of_modes(struct vlan_rules rules[MODES])
{
	const struct port_config config[MODES] = {
		[PLAIN] = config_of(0, "", 0, VLAN_8021Q),
		[ACCESS] = config_of(10, "", 0, VLAN_8021Q),
		[TRUNK] = config_of(0, "10,20", 0, VLAN_8021Q),
		[NATIVE] = config_of(0, "20", 10, VLAN_8021Q),
		[SERVICE] = config_of(0, "10", 0, VLAN_8021AD),
	};

	for (unsigned i = 0; i < MODES; i++)
		vlan_rules_of(&config[i], &rules[i]);
}

/** For each mode: the VLAN of a frame, or the reason of its drop. */
static void
test_ingress(void **state)
{
	static const struct {
		uint16_t type, tci;
		struct {
			int reason;
			uint16_t vlan, tag_len;
		} want[MODES];
	} cases[] = {
		{0x0800, 0x4500,
			{{IN, 0, 0}, {IN, 10, 0}, {DROP_VLAN, 0, 0}, {IN, 10, 0},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0x0000,
			{{IN, 0, 4}, {IN, 10, 4}, {DROP_VLAN, 0, 4}, {IN, 10, 4},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0xf000,
			{{IN, 0, 4}, {IN, 10, 4}, {DROP_VLAN, 0, 4}, {IN, 10, 4},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0xf00a,
			{{IN, 10, 4}, {DROP_VLAN, 10, 4}, {IN, 10, 4}, {IN, 10, 4},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0x0014,
			{{IN, 20, 4}, {DROP_VLAN, 20, 4}, {IN, 20, 4}, {IN, 20, 4},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0x001e,
			{{IN, 30, 4}, {DROP_VLAN, 30, 4}, {DROP_VLAN, 30, 4}, {DROP_VLAN, 30, 4},
				{DROP_VLAN, 0, 0}}},
		{0x8100, 0x2fff,
			{{DROP_BAD_TAG, 4095, 4}, {DROP_BAD_TAG, 4095, 4}, {DROP_BAD_TAG, 4095, 4},
				{DROP_BAD_TAG, 4095, 4}, {DROP_VLAN, 0, 0}}},
		{0x88a8, 0x300a,
			{{IN, 0, 0}, {IN, 10, 0}, {DROP_VLAN, 0, 0}, {IN, 10, 0}, {IN, 10, 4}}},
		{0x88a8, 0x0fff,
			{{IN, 0, 0}, {IN, 10, 0}, {DROP_VLAN, 0, 0}, {IN, 10, 0},
				{DROP_BAD_TAG, 4095, 4}}},
	};
	struct vlan_rules rules[MODES];

	(void)state;
	rules_of_modes(rules);
	for (unsigned i = 0; i < COUNT(cases); i++)
		for (unsigned mode = 0; mode < MODES; mode++) {
			uint8_t head[18] = {[12] = (uint8_t)(cases[i].type >> 8),
				(uint8_t)cases[i].type,
				(uint8_t)(cases[i].tci >> 8),
				(uint8_t)cases[i].tci};
			struct frame frame = {
				.head = head, .head_len = 18, .vlan = 99, .tag_len = 99};
			int reason = vlan_ingress(&rules[mode], &frame);
			if (reason != cases[i].want[mode].reason)
				fail_msg("case %u, mode %u: %d", i, mode, reason);
			assert_int_equal(frame.vlan, cases[i].want[mode].vlan);
			assert_int_equal(frame.tag_len, cases[i].want[mode].tag_len);
			assert_int_equal(frame.l2_len, 14 + frame.tag_len);
		}
}

/** A frame with a truncated tag is a runt, and nothing behind the head is read. */
static void
test_short(void **state)
{
	struct vlan_rules rules[MODES];
	uint8_t head[14] = {[12] = 0x81};

	(void)state;
	rules_of_modes(rules);
	for (uint16_t length = 14; length < 18; length++) {
		uint8_t *bytes = calloc(1, length);
		struct frame frame = {.head = bytes, .head_len = length};

		memcpy(bytes, head, sizeof(head));
		assert_int_equal(vlan_ingress(&rules[PLAIN], &frame), DROP_RUNT);
		assert_int_equal(vlan_ingress(&rules[SERVICE], &frame), DROP_VLAN);
		bytes[12] = 0x08;
		assert_int_equal(vlan_ingress(&rules[PLAIN], &frame), IN);
		free(bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_bad_sets),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_ingress),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
