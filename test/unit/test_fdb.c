/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "fdb_help.h"

/* Learning and looking up -------------------------------------------------------------------- */

static void
test_create(void **state)
{
	(void)state;
	assert_null(fdb_create(&(struct fdb_config){.capacity = FDB_CAPACITY_MIN - 1}));
	assert_int_equal(errno, EINVAL);
	assert_null(fdb_create(&(struct fdb_config){.capacity = FDB_CAPACITY_MAX + 1}));
	assert_null(fdb_create(&(struct fdb_config){.ageing = FDB_AGEING_MIN - 1}));
	assert_null(fdb_create(&(struct fdb_config){.ageing = FDB_AGEING_MAX + 1}));

	struct fdb *fdb = make(0, 0);
	assert_int_equal(stats_of(fdb).capacity, FDB_CAPACITY_DEFAULT);
	assert_int_equal(fdb_ageing(fdb), FDB_AGEING_DEFAULT);
	fdb_destroy(fdb);
	fdb_destroy(NULL);
}

static void
test_learn(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	assert_int_equal(lookup(fdb, MAC(1), 1), FDB_MISS);
	learn(fdb, MAC(1), 1, 7);
	learn(fdb, 0, 0, FDB_PORT_MAX - 1);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	assert_int_equal(lookup(fdb, 0, 0), FDB_PORT_MAX - 1);
	assert_int_equal(lookup(fdb, MAC(2), 1), FDB_MISS);
	assert_int_equal(stats_of(fdb).entries, 2);
	assert_int_equal(stats_of(fdb).learned, 2);
	fdb_destroy(fdb);
}

static void
test_vlans_are_separate(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	learn(fdb, MAC(1), 4095, 8);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	assert_int_equal(lookup(fdb, MAC(1), 4095), 8);
	assert_int_equal(lookup(fdb, MAC(1), 0), FDB_MISS);
	assert_int_equal(lookup(fdb, MAC(1), 2), FDB_MISS);
	fdb_destroy(fdb);
}

static void
test_move(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	learn(fdb, MAC(1), 1, 8);
	assert_int_equal(lookup(fdb, MAC(1), 1), 8);
	assert_int_equal(stats_of(fdb).moved, 1);
	assert_int_equal(stats_of(fdb).entries, 1);
	assert_int_equal(fdb_port_entries(fdb, 7), 0);
	assert_int_equal(fdb_port_entries(fdb, 8), 1);
	fdb_destroy(fdb);
}

static void
test_bursts(void **state)
{
	struct fdb *fdb = make(1024, 0);
	uint64_t keys[FDB_BURST_MAX];
	uint16_t ports[FDB_BURST_MAX];
	uint16_t got[FDB_BURST_MAX + 1];

	(void)state;
	learn_burst(fdb, keys, ports, 0);
	lookup_burst(fdb, keys, got, 0);
	for (unsigned n = 1; n <= FDB_BURST_MAX; n++) {
		/* Runs of three equal addresses; every second run has the same address. */
		for (unsigned i = 0; i < n; i++) {
			unsigned host = i / 3 % 2 ? 0 : 1 + i / 3;

			keys[i] = fdb_key(MAC(1000 * n + host), 1);
			ports[i] = (uint16_t)(host % 5);
		}
		got[n] = 4711;
		lookup_burst(fdb, keys, got, n);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(got[i], FDB_MISS);
		learn_burst(fdb, keys, ports, n);
		lookup_burst(fdb, keys, got, n);
		assert_memory_equal(got, ports, n * sizeof(ports[0]));
		assert_int_equal(got[n], 4711);
	}
	assert_int_equal(stats_of(fdb).moved, 0);
	assert_int_equal(stats_of(fdb).learned, walk(fdb, 0).n);
	fdb_destroy(fdb);
}

static void
test_same_address_on_two_ports_in_a_burst(void **state)
{
	struct fdb *fdb = make(64, 0);
	uint64_t key = fdb_key(MAC(1), 1);

	(void)state;
	learn_burst(fdb, (uint64_t[]){key, key, key}, (uint16_t[]){1, 1, 2}, 3);
	assert_int_equal(lookup(fdb, MAC(1), 1), 2);
	assert_int_equal(stats_of(fdb).learned, 1);
	assert_int_equal(stats_of(fdb).moved, 1);
	fdb_destroy(fdb);
}

/* Static entries ------------------------------------------------------------------------------ */

static void
test_static(void **state)
{
	struct fdb *fdb = make(64, 10);

	(void)state;
	assert_int_equal(fdb_add_static(fdb, MAC(1), 1, 7), 0);
	assert_int_equal(fdb_add_static(fdb, MAC(1), 1, 7), 0);
	assert_int_equal(fdb_add_static(fdb, MAC(1), 1, 8), -EEXIST);
	assert_int_equal(fdb_add_static(fdb, MAC(1), FDB_VLAN_MAX, 8), -EINVAL);
	assert_int_equal(fdb_add_static(fdb, MAC(1), 1, FDB_PORT_MAX), -EINVAL);
	learn(fdb, MAC(1), 1, 8);
	for (uint64_t now = 0; now < 100; now++)
		fdb_age(fdb, now);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	assert_true(walk(fdb, MAC(1)).entry.is_static);
	assert_int_equal(age_of(fdb, MAC(1)), 0);
	assert_int_equal(stats_of(fdb).moved + stats_of(fdb).aged, 0);
	assert_int_equal(fdb_port_entries(fdb, 7), 0);
	/* A dynamic entry of another port becomes static. */
	learn(fdb, MAC(2), 1, 7);
	assert_int_equal(fdb_add_static(fdb, MAC(2), 1, 9), 0);
	assert_int_equal(lookup(fdb, MAC(2), 1), 9);
	assert_int_equal(fdb_port_entries(fdb, 7), 0);
	assert_int_equal(stats_of(fdb).entries, 2);
	fdb_destroy(fdb);
}

static void
test_del(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	assert_int_equal(fdb_add_static(fdb, MAC(2), 1, 7), 0);
	assert_int_equal(fdb_del(fdb, MAC(1), 2), -ENOENT);
	assert_int_equal(fdb_del(fdb, MAC(1), 1), 0);
	assert_int_equal(fdb_del(fdb, MAC(1), 1), -ENOENT);
	assert_int_equal(fdb_del(fdb, MAC(2), 1), 0);
	assert_int_equal(stats_of(fdb).entries, 0);
	assert_int_equal(fdb_port_entries(fdb, 7), 0);
	learn(fdb, MAC(1), 1, 7);
	fdb_flush_port(fdb, 7);
	assert_int_equal(fdb_del(fdb, MAC(1), 1), -ENOENT);
	fdb_destroy(fdb);
}

static void
test_static_in_a_full_table(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 64, 1);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(fdb_add_static(fdb, MAC(100 + i), 1, 2), 0);
	assert_int_equal(fdb_add_static(fdb, MAC(200), 1, 2), -ENOSPC);
	learn(fdb, MAC(200), 1, 3);
	assert_int_equal(lookup(fdb, MAC(200), 1), FDB_MISS);
	assert_int_equal(found_at(fdb, 100, 64, 2), 64);
	assert_int_equal(stats_of(fdb).entries, 64);
	assert_int_equal(stats_of(fdb).replaced, 64);
	fdb_destroy(fdb);
}

static void
test_walk(void **state)
{
	struct fdb *fdb = make(64, 0);
	struct seen seen = {.mac = 0};

	(void)state;
	learn(fdb, MAC(5), 77, 9);
	assert_int_equal(fdb_add_static(fdb, MAC(6), 4095, 3), 0);
	assert_int_equal(walk(fdb, MAC(5)).n, 2);
	assert_int_equal(walk(fdb, MAC(5)).entry.vlan, 77);
	assert_int_equal(walk(fdb, MAC(5)).entry.port, 9);
	assert_false(walk(fdb, MAC(5)).entry.is_static);
	assert_int_equal(walk(fdb, MAC(6)).entry.vlan, 4095);
	fdb_walk(fdb, see_one, &seen);
	assert_int_equal(seen.n, 1);
	fdb_destroy(fdb);
}

/* Addresses ---------------------------------------------------------------------------------- */

static void
test_mac_text(void **state)
{
	static const char *const bad[] = {"", "02", "02:00:00:00:00", "02:00:00:00:00:0",
		"02:00:00:00:00:01:", "02:00:00:00:00:0g", "2:0:0:0:0:1", "02.00.00.00.00.01",
		" 02:00:00:00:00:01", "02:00:00:00:00:011"};
	const uint8_t bytes[MAC_BYTES] = {0x02, 0xab, 0, 0, 0, 0x1f};
	char text[MAC_TEXT_MAX];
	uint64_t mac = 4711;

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
	assert_int_equal(mac, 4711);
	assert_int_equal(mac_parse("02:aB:00-00:00:1F", &mac), 0);
	assert_int_equal(mac, mac_load(bytes));
	assert_string_equal(mac_format(mac, text), "02:ab:00:00:00:1f");
	assert_false(mac_is_group(mac));
	assert_int_equal(mac_parse("01:80:c2:00:00:0f", &mac), 0);
	assert_true(mac_is_group(mac) && mac_is_reserved(mac));
	assert_int_equal(mac_parse("01:80:c2:00:00:10", &mac), 0);
	assert_false(mac_is_reserved(mac));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_vlans_are_separate),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_same_address_on_two_ports_in_a_burst),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_del),
		cmocka_unit_test(test_static_in_a_full_table),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_mac_text),
	};

	return cmocka_run_group_tests_name("fdb", tests, NULL, NULL);
}
