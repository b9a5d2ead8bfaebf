/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports between which policies permit forwarding, and which configurations are valid together. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "features/table.h"
#include "features/policy/rules.h"
#include "features/reserved/reserved.h"
#include "sections.h"

enum { UP, UP2, FREE, OTHER, BRIDGE, BRIDGE2, VEPA, VEPA2, PRIVATE, FOREIGN, PORTS };

static const struct policy set[PORTS] = {
	[UP] = {POLICY_BRIDGE, UP, PORT_NONE, false},
	[UP2] = {POLICY_BRIDGE, UP2, PORT_NONE, false},
	[FREE] = {POLICY_BRIDGE, FREE, PORT_NONE, true},
	[OTHER] = {POLICY_BRIDGE, OTHER, PORT_NONE, true},
	[BRIDGE] = {POLICY_BRIDGE, BRIDGE, UP, false},
	[BRIDGE2] = {POLICY_BRIDGE, BRIDGE2, UP, true},
	[VEPA] = {POLICY_VEPA, VEPA, UP, false},
	[VEPA2] = {POLICY_VEPA, VEPA2, UP, false},
	[PRIVATE] = {POLICY_PRIVATE, PRIVATE, UP, false},
	[FOREIGN] = {POLICY_BRIDGE, FOREIGN, UP2, false},
};

/** Rows: from; columns: to. */
static void
test_may_forward(void **state)
{
	static const char *const want[PORTS] = {
		[UP] = ".xxxxxxxx.",
		[UP2] = "x.xx.....x",
		[FREE] = "xx........",
		[OTHER] = "xx........",
		[BRIDGE] = "x....x....",
		[BRIDGE2] = "x...x.....",
		[VEPA] = "x.........",
		[VEPA2] = "x.........",
		[PRIVATE] = "x.........",
		[FOREIGN] = ".x........",
	};

	(void)state;
	for (unsigned from = 0; from < PORTS; from++)
		for (unsigned to = 0; to < PORTS; to++)
			if (policy_may_forward(&set[from], &set[to]) != (want[from][to] == 'x'))
				fail_msg("%u to %u", from, to);
}

static void
test_via_uplink(void **state)
{
	(void)state;
	assert_int_equal(policy_via_uplink(&set[BRIDGE], &set[VEPA]), UP);
	assert_int_equal(policy_via_uplink(&set[BRIDGE], &set[FREE]), UP);
	assert_int_equal(policy_via_uplink(&set[VEPA], &set[FOREIGN]), UP);
	assert_int_equal(policy_via_uplink(&set[FREE], &set[VEPA]), UP);
	assert_int_equal(policy_via_uplink(&set[UP2], &set[BRIDGE]), UP);
	assert_int_equal(policy_via_uplink(&set[FREE], &set[OTHER]), PORT_NONE);
	assert_int_equal(policy_via_uplink(&set[VEPA], &set[VEPA]), PORT_NONE);
}

/**
 * Forwarding of a flooded frame of a member, reflected by the uplink. Rows: source; columns: to.
 */
static void
test_reflected_floods(void **state)
{
	static const struct {
		unsigned source;
		const char *want;
	} cases[] = {
		{VEPA, "xxxxxx.x.x"},
		{BRIDGE, "xxxx..xx.x"},
		{PRIVATE, "xxxx....xx"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++)
		for (unsigned to = 0; to < PORTS; to++)
			if (policy_reflective_relay(&set[cases[i].source], &set[to]) !=
				(cases[i].want[to] == 'x'))
				fail_msg("%u to %u", cases[i].source, to);
}

static struct port_config
config_of(const char *name, enum policy_mode policy, const char *uplink)
{
	struct port_config config = {.name = ""};

	strcpy(config.name, name);
	SECTION(&config, policy)->policy = policy;
	strcpy(SECTION(&config, policy)->uplink, uplink);
	return config;
}

static void
test_keys(void **state)
{
	const struct port_config good[] = {config_of("a", POLICY_BRIDGE, ""),
		config_of("a", POLICY_BRIDGE, "up"), config_of("a", POLICY_VEPA, "up")};
	const struct port_config bad[] = {config_of("a", POLICY_VEPA, ""),
		config_of("a", POLICY_PASSTHRU, ""), config_of("a", POLICY_BRIDGE, "a")};
	struct err err = {0};

	(void)state;
	for (unsigned i = 0; i < COUNT(good); i++)
		assert_int_equal(features_check(&good[i], &err), 0);
	for (unsigned i = 0; i < COUNT(bad); i++)
		assert_int_equal(features_check(&bad[i], &err), -EINVAL);
}

static void
test_relations(void **state)
{
	const struct port_config up = config_of("up", POLICY_BRIDGE, "");
	const struct port_config a = config_of("a", POLICY_VEPA, "up");
	const struct port_config b = config_of("b", POLICY_BRIDGE, "up");
	const struct port_config owner = config_of("o", POLICY_PASSTHRU, "up");
	const struct port_config lost = config_of("l", POLICY_VEPA, "nowhere");
	const struct port_config chain = config_of("c", POLICY_VEPA, "a");
	const struct {
		const struct port_config *configs[4];
		unsigned n, culprit;
		int rc;
		const char *reason;
	} cases[] = {
		{{NULL}, 0, 0, 0, NULL},
		{{&up, &a, &b}, 3, 0, 0, NULL},
		{{&a, &b, &up}, 3, 0, 0, NULL},
		{{&up, &owner}, 2, 0, 0, NULL},
		{{&up, &lost}, 2, 1, -ENOENT, "no port 'nowhere'"},
		{{&a, &b}, 2, 0, -ENOENT, "no port 'up'"},
		{{&up, &a, &chain}, 3, 2, -EINVAL, "a has an uplink itself"},
		{{&up, &owner, &a}, 3, 1, -EBUSY, "a has up too"},
		{{&up, &a, &owner}, 3, 2, -EBUSY, "a has up too"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct err err = {0};
		unsigned culprit = 99;
		int rc = features_relate(cases[i].configs, cases[i].n, &culprit, &err);
		if (rc != cases[i].rc)
			fail_msg("case %u: %d %s", i, rc, err.text);
		if (rc == 0)
			continue;
		assert_int_equal(culprit, cases[i].culprit);
		assert_contains(err.text, cases[i].reason);
		assert_int_equal(features_relate(cases[i].configs, cases[i].n, NULL, NULL), rc);
	}
}

static struct port_config
mirrored_to(const char *name, const char *mirror)
{
	struct port_config config = {.name = ""};

	strcpy(config.name, name);
	strcpy(SECTION(&config, mirror)->mirror, mirror);
	return config;
}

/** Targets of mirrors, valid and not. */
static void
test_mirrors(void **state)
{
	const struct port_config plain = mirrored_to("probe", ""), other = mirrored_to("other", ""),
				 mirrored = mirrored_to("vm", "probe"),
				 too = mirrored_to("vm2", "probe"), itself = mirrored_to("x", "x"),
				 absent = mirrored_to("x", "nobody"),
				 chain = mirrored_to("x", "vm"), back = mirrored_to("probe", "vm");
	const struct {
		const struct port_config *configs[3];
		int rc;
		unsigned culprit;
		const char *reason;
	} cases[] = {
		{{&plain, &mirrored, &other}, 0, 0, NULL},
		{{&plain, &mirrored, &too}, 0, 0, NULL},
		{{&plain, &itself, &other}, -EINVAL, 1, "its own"},
		{{&plain, &other, &absent}, -ENOENT, 2, "no port 'nobody'"},
		{{&plain, &mirrored, &chain}, -EINVAL, 2, "loop"},
		{{&mirrored, &back, &other}, -EINVAL, 0, "loop"},
	};
	unsigned culprit = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct err err = {0};
		assert_int_equal(features_relate(cases[i].configs, 3, &culprit, &err), cases[i].rc);
		if (cases[i].rc == 0)
			continue;
		assert_int_equal(culprit, cases[i].culprit);
		assert_contains(err.text, cases[i].reason);
	}
}

/** Lists of reserved addresses, by name and by number, valid and not. */
static void
test_reserved(void **state)
{
	static const struct {
		const char *list;
		uint16_t set; /**< 0 = refused, but for "" */
		const char *says;
	} lists[] = {
		{"", 0, NULL},
		{"0", 0x0001, NULL},
		{"stp", 0x0001, NULL},
		{"f,E,0x3", 0xc008, NULL},
		{"lacp,eapol,elmi,provider-stp,provider-mvrp,lldp", 0x618c, NULL},
		{"0,2,3,4,5,6,7,8,9,a,b,c,d,e,f", 0xfffd, NULL},
		{"1", 0, "01:80:c2:00:00:01 is of pause frames"},
		{"lacp,pause", 0, "pause frames"},
		{"10", 0, "'10' is neither"},
		{"e,lldp", 0, "01:80:c2:00:00:0e is named twice"},
		{",", 0, "'' is neither"},
		{"stp,", 0, "'' is neither"},
		{"stp ", 0, "'stp ' is neither"},
		{"0x", 0, "is neither"},
		{"ffffffffffffffffff", 0, "'fffffffffffffff' is neither"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(lists); i++) {
		struct port_config config = {.name = "port"};
		struct err err = {0};

		strcpy(SECTION(&config, reserved)->forward, lists[i].list);
		assert_int_equal(
			features_check(&config, &err), lists[i].says != NULL ? -EINVAL : 0);
		assert_int_equal(
			features_check(&config, NULL), lists[i].says != NULL ? -EINVAL : 0);
		if (lists[i].says != NULL) {
			assert_contains(err.text, "forward-reserved: ");
			assert_contains(err.text, lists[i].says);
			continue;
		}
		assert_int_equal(reserved_of(&config), lists[i].set);
		SECTION(&config, vlan)->protocol = VLAN_8021AD;
		assert_int_equal(reserved_of(&config), lists[i].set | 0xb801);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_may_forward),
		cmocka_unit_test(test_via_uplink),
		cmocka_unit_test(test_reflected_floods),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_mirrors),
		cmocka_unit_test(test_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
