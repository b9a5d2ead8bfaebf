/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations of ports, counters, reasons of drops. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_driver.h"
#include "features/learn/keys.h"
#include "port/port.h"

static struct port_config
fake_port(void)
{
	struct port_config config;

	assert_int_equal(port_config_init(&config, fake_drivers, "p1", "fake", NULL), 0);
	assert_int_equal(port_config_set(&config, "path", "/a", NULL), 0);
	return config;
}

static void
test_init(void **state)
{
	const struct fake_config *fake;
	struct port_config config;
	struct err err;

	(void)state;
	memset(&config, 0xff, sizeof(config));
	assert_int_equal(port_config_init(&config, fake_drivers, "p1", "fake", &err), 0);
	fake = (const void *)config.driver_config;
	assert_string_equal(config.name, "p1");
	assert_string_equal(config.driver->type->name, "fake");
	assert_true(config.enabled);
	assert_int_equal(config.numa, PORT_NUMA_AUTO);
	assert_int_equal(learn_config(&config)->mac_limit, 0);
	assert_string_equal(fake->path, "");
	assert_int_equal(fake->speed, 10);
	assert_int_equal(fake->perm, 0640);
	assert_false(fake->fast);
}

static void
test_init_twice_is_equal(void **state)
{
	struct port_config one, other;

	(void)state;
	memset(&one, 0x11, sizeof(one));
	memset(&other, 0xee, sizeof(other));
	assert_int_equal(port_config_init(&one, fake_drivers, "p1", "fake", NULL), 0);
	assert_int_equal(port_config_init(&other, fake_drivers, "p1", "fake", NULL), 0);
	assert_memory_equal(&one, &other, sizeof(one));
}

static void
test_init_bad(void **state)
{
	static const struct {
		const char *name, *type, *reason;
	} cases[] = {
		{"", "fake", "port name ''"},
		{".a", "fake", "a letter or digit first"},
		{"-a", "fake", "a letter or digit first"},
		{"a b", "fake", "port name 'a b'"},
		{"a/b", "fake", "port name 'a/b'"},
		{"a\n", "fake", "letters, digits and . _ - only"},
		{"\xc3\xa4", "fake", "letters, digits and . _ - only"},
		{"a2345678901234567890123456789012", "fake", "at most 31 characters"},
		{"a", "tap", "type: 'tap' is not yet supported"},
		{"a", "vf", "type: 'vf' is not yet supported"},
		{"a", "", "type: unknown port type ''"},
		{"a", "Fake", "type: unknown port type 'Fake'"},
	};
	struct port_config config;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(
			port_config_init(&config, fake_drivers, cases[i].name, cases[i].type, &err),
			-EINVAL);
		assert_contains(err.text, cases[i].reason);
	}
	assert_int_equal(port_config_init(&config, fake_drivers, "a234567890123456789012345678901",
				 "bare", &err),
		0);
	assert_int_equal(port_config_init(&config, fake_drivers, "0._-", "bare", &err), 0);
}

static void
test_set(void **state)
{
	struct port_config config = fake_port(), before;
	const struct fake_config *fake = (const void *)config.driver_config;
	struct err err;

	(void)state;
	assert_int_equal(port_config_set(&config, "enabled", "off", &err), 0);
	assert_int_equal(port_config_set(&config, "numa", "1", &err), 0);
	assert_int_equal(port_config_set(&config, "mac-limit", "100", &err), 0);
	assert_int_equal(port_config_set(&config, "speed", "99", &err), 0);
	assert_int_equal(port_config_set(&config, "mode", "in", &err), 0);
	assert_false(config.enabled);
	assert_int_equal(config.numa, 1);
	assert_int_equal(learn_config(&config)->mac_limit, 100);
	assert_int_equal(fake->speed, 99);
	assert_int_equal(fake->mode, 0);
	before = config;
	assert_int_equal(port_config_set(&config, "speed", "101", &err), -EINVAL);
	assert_string_equal(err.text, "speed: '101' is not a number from 1 to 100");
	assert_int_equal(port_config_set(&config, "numa", "-2", &err), -EINVAL);
	assert_int_equal(port_config_set(&config, "vlan", "4095", &err), -EINVAL);
	assert_string_equal(err.text, "vlan: '4095' is not a number from 0 to 4094");
	assert_int_equal(port_config_set(&config, "trunk", "", &err), 0);
	assert_int_equal(port_config_set(&config, "path", "", &err), -EINVAL);
	assert_int_equal(port_config_set(&config, "colour", "red", &err), -EINVAL);
	assert_string_equal(err.text, "colour: not yet supported");
	assert_int_equal(port_config_set(&config, "name", "p2", &err), -EINVAL);
	assert_string_equal(err.text, "name: a fake port has no such key");
	assert_memory_equal(&config, &before, sizeof(config));
}

static void
test_check(void **state)
{
	struct port_config config = fake_port();
	struct err err;

	(void)state;
	assert_int_equal(port_config_check(&config, &err), 0);
	assert_int_equal(port_config_init(&config, fake_drivers, "p1", "fake", &err), 0);
	assert_int_equal(port_config_check(&config, &err), -EINVAL);
	assert_string_equal(err.text, "path: a fake port needs one");
}

static void
test_is_live(void **state)
{
	static const struct {
		const char *key, *value;
		bool live;
	} cases[] = {
		{"enabled", "off", true}, {"mac-limit", "7", true}, {"speed", "7", true},
		{"numa", "0", false}, {"path", "/b", false}, {"fast", "on", false},
		{"mode", "in", false}, {"perm", "0600", false},
		{"perm", "0640", true}, /* the value that is set already */
	};
	const struct port_config old = fake_port();
	struct port_config new = old;

	(void)state;
	assert_true(port_config_is_live(&old, &new));
	for (size_t i = 0; i < COUNT(cases); i++) {
		new = old;
		assert_int_equal(port_config_set(&new, cases[i].key, cases[i].value, NULL), 0);
		assert_int_equal(port_config_is_live(&old, &new), cases[i].live);
		assert_int_equal(port_config_is_live(&new, &old), cases[i].live);
	}
	assert_int_equal(port_config_init(&new, fake_drivers, "p1", "bare", NULL), 0);
	assert_false(port_config_is_live(&old, &new));
}

static void
visit_append(const struct key *key, const char *value, void *arg)
{
	char *text = arg;

	snprintf(text + strlen(text), 512 - strlen(text), "%s=%s ", key->name, value);
}

static void
test_visit(void **state)
{
	struct port_config config = fake_port();
	char text[512] = "";

	(void)state;
	port_config_visit(&config, false, visit_append, text);
	assert_string_equal(text, "path=/a ");
	assert_int_equal(port_config_set(&config, "numa", "0", NULL), 0);
	assert_int_equal(port_config_set(&config, "fast", "on", NULL), 0);
	text[0] = '\0';
	port_config_visit(&config, false, visit_append, text);
	assert_string_equal(text, "numa=0 path=/a fast=on ");
	text[0] = '\0';
	port_config_visit(&config, true, visit_append, text);
	assert_ptr_equal(strstr(text, "enabled=on numa=0 mac-limit=0 "), text);
	const char *own = strstr(text, "path=");
	assert_non_null(own);
	assert_string_equal(own, "path=/a speed=10 fast=on mode=out perm=0640 ");
}

static void
test_info(void **state)
{
	struct port_info info = {.n = 0};

	(void)state;
	for (int i = 0; i < PORT_INFO_MAX + 3; i++)
		port_info_add(&info, "fact", "%d of %s", i, "many");
	assert_int_equal(info.n, PORT_INFO_MAX);
	assert_string_equal(info.entry[0].value, "0 of many");
	assert_string_equal(info.entry[PORT_INFO_MAX - 1].name, "fact");
	assert_string_equal(info.entry[PORT_INFO_MAX - 1].value, "23 of many");
}

/* Counters ------------------------------------------------------------------------------------ */

static void
test_counters(void **state)
{
	struct counters sum = {.rx_packets = 1}, part = {.rx_packets = 2, .rx_bytes = 3};

	(void)state;
	part.rx_forwarded = 4;
	part.rx_copies = 5;
	part.tx_packets = 6;
	part.tx_bytes = UINT64_C(1) << 40;
	part.rx_drops[0] = 7;
	part.rx_drops[DROP_COUNT - 1] = 8;
	part.tx_drops[0] = 9;
	part.tx_drops[DROP_COUNT - 1] = 10;
	counters_add(&sum, &part);
	counters_add(&sum, &part);
	assert_int_equal(sum.rx_packets, 5);
	assert_int_equal(sum.rx_bytes, 6);
	assert_int_equal(sum.rx_forwarded, 8);
	assert_int_equal(sum.rx_copies, 10);
	assert_int_equal(sum.tx_packets, 12);
	assert_int_equal(sum.tx_bytes, UINT64_C(1) << 41);
	assert_int_equal(counters_drops(sum.rx_drops), 30);
	assert_int_equal(counters_drops(sum.tx_drops), 38);
	counters_subtract(&sum, &part);
	sum.rx_packets--;
	assert_memory_equal(&sum, &part, sizeof(sum));
	counters_subtract(&sum, &part);
	assert_int_equal(counters_drops(sum.rx_drops) + sum.tx_bytes + sum.rx_packets, 0);
}

static void
test_drop_words(void **state)
{
	(void)state;
	assert_string_equal(drop_word(DROP_RUNT), "runt");
	assert_string_equal(drop_word(DROP_NO_MEMORY), "no-memory");
	for (int one = 0; one < DROP_COUNT; one++)
		for (int other = 0; other < one; other++)
			assert_string_not_equal(drop_word((enum drop_reason)one),
				drop_word((enum drop_reason)other));
}

static void
test_drop_owners(void **state)
{
	static const char *const owners[] = {"guest", "switch", "peer"};
	int seen[3] = {0};

	(void)state;
	assert_string_equal(drop_owner_word(DROP_NO_MEMORY, true), "switch");
	assert_string_equal(drop_owner_word(DROP_NO_MEMORY, false), "switch");
	assert_string_equal(drop_owner_word(DROP_TX_FULL, true), "guest");
	assert_string_equal(drop_owner_word(DROP_TX_FULL, false), "peer");
	assert_string_equal(drop_owner_word(DROP_BAD_OFFLOAD, false), "guest");
	for (int reason = 0; reason < DROP_COUNT; reason++)
		for (int vm = 0; vm < 2; vm++)
			for (int i = 0; i < 3; i++)
				seen[i] += strcmp(owners[i], drop_owner_word(reason, vm)) == 0;
	assert_int_equal(seen[0] + seen[1] + seen[2], 2 * DROP_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_init_twice_is_equal),
		cmocka_unit_test(test_init_bad),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_is_live),
		cmocka_unit_test(test_visit),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_drop_words),
		cmocka_unit_test(test_drop_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
