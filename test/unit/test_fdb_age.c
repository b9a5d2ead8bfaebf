/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "fdb_help.h"

/* Ageing ------------------------------------------------------------------------------------- */

static void
test_ageing(void **state)
{
	struct fdb *fdb = make(64, 300);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	fdb_age(fdb, 100);
	learn(fdb, MAC(2), 1, 7);
	learn(fdb, MAC(2), 1, 7);
	assert_int_equal(age_of(fdb, MAC(1)), 100);
	assert_int_equal(age_of(fdb, MAC(2)), 0);
	/* Seen in the first second, perhaps at its end. */
	fdb_age(fdb, 300);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	fdb_age(fdb, 301);
	assert_int_equal(lookup(fdb, MAC(1), 1), FDB_MISS);
	assert_int_equal(stats_of(fdb).aged, 1);
	assert_int_equal(fdb_port_entries(fdb, 7), 1);
	/* Refreshed. */
	learn(fdb, MAC(2), 1, 7);
	assert_int_equal(age_of(fdb, MAC(2)), 0);
	fdb_age(fdb, 601);
	assert_int_equal(age_of(fdb, MAC(2)), 300);
	fdb_age(fdb, 602);
	assert_int_equal(stats_of(fdb).entries, 0);
	assert_int_equal(stats_of(fdb).learned, 2);
	fdb_destroy(fdb);
}

static void
test_longest_ageing(void **state)
{
	struct fdb *fdb = make(64, FDB_AGEING_MAX);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	for (uint64_t now = 0; now <= FDB_AGEING_MAX; now += 1000)
		fdb_age(fdb, now);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	fdb_age(fdb, FDB_AGEING_MAX + 62);
	assert_int_equal(lookup(fdb, MAC(1), 1), FDB_MISS);
	fdb_destroy(fdb);
}

/** The control thread was delayed for so long that the epoch wrapped, once or several times. */
static void
test_long_intervals(void **state)
{
	static const uint64_t leaps[] = {16385, 32768, 65536, 65537, 131072, 10000000};
	struct fdb *fdb = make(64, 300);
	uint64_t now = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(leaps) / sizeof(leaps[0]); i++) {
		learn(fdb, MAC(1), 1, 7);
		now += leaps[i];
		fdb_age(fdb, now);
		assert_int_equal(lookup(fdb, MAC(1), 1), FDB_MISS);
	}
	fdb_destroy(fdb);
}

static void
test_change_of_ageing(void **state)
{
	struct fdb *fdb = make(64, 300);

	(void)state;
	assert_int_equal(fdb_set_ageing(fdb, FDB_AGEING_MIN - 1), -EINVAL);
	assert_int_equal(fdb_set_ageing(fdb, FDB_AGEING_MAX + 1), -EINVAL);
	learn(fdb, MAC(1), 1, 7);
	fdb_age(fdb, 200);
	learn(fdb, MAC(2), 1, 7);
	/* Epochs of 31 seconds now: ages stay, rounded down. */
	assert_int_equal(fdb_set_ageing(fdb, FDB_AGEING_MAX), 0);
	assert_int_equal(fdb_ageing(fdb), FDB_AGEING_MAX);
	assert_uint_in_range(age_of(fdb, MAC(1)), 200 - 30, 200);
	assert_int_equal(age_of(fdb, MAC(2)), 0);
	fdb_age(fdb, 100000);
	assert_int_equal(stats_of(fdb).entries, 2);
	learn(fdb, MAC(2), 1, 7);
	/* Back to epochs of a second: only old entries are removed. */
	assert_int_equal(fdb_set_ageing(fdb, 300), 0);
	assert_int_equal(lookup(fdb, MAC(1), 1), 7);
	fdb_age(fdb, 100001);
	assert_int_equal(lookup(fdb, MAC(1), 1), FDB_MISS);
	assert_int_equal(lookup(fdb, MAC(2), 1), 7);
	fdb_age(fdb, 100302);
	assert_int_equal(stats_of(fdb).entries, 0);
	fdb_destroy(fdb);
}

/* Flushes ------------------------------------------------------------------------------------ */

static void
test_flush_port(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 10, 1);
	learn_many(fdb, 10, 10, 2);
	assert_int_equal(fdb_add_static(fdb, MAC(100), 1, 1), 0);
	fdb_flush_port(fdb, 1);
	assert_int_equal(found_at(fdb, 0, 10, FDB_MISS), 10);
	assert_int_equal(found_at(fdb, 10, 10, 2), 10);
	assert_int_equal(lookup(fdb, MAC(100), 1), 1);
	assert_int_equal(fdb_port_entries(fdb, 1), 0);
	assert_int_equal(stats_of(fdb).entries, 11);
	learn_many(fdb, 0, 10, 1);
	fdb_age(fdb, 0);
	assert_int_equal(found_at(fdb, 0, 10, 1), 10);
	assert_int_equal(fdb_port_entries(fdb, 1), 10);
	assert_int_equal(stats_of(fdb).entries, 21);
	fdb_destroy(fdb);
}

static void
test_flush_vlan(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 10, 1);
	learn(fdb, MAC(0), 2, 1);
	assert_int_equal(fdb_add_static(fdb, MAC(100), 1, 1), 0);
	fdb_flush_vlan(fdb, 1);
	assert_int_equal(found_at(fdb, 0, 10, FDB_MISS), 10);
	assert_int_equal(lookup(fdb, MAC(0), 2), 1);
	assert_int_equal(lookup(fdb, MAC(100), 1), 1);
	/* Before and after the sweep, and with some addresses learnt again. */
	learn_many(fdb, 0, 3, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(stats_of(fdb).entries, 5);
		assert_int_equal(fdb_port_entries(fdb, 1), 4);
		assert_int_equal(walk(fdb, 0).n, 5);
		fdb_age(fdb, 0);
	}
	fdb_flush_port(fdb, 1);
	fdb_flush_vlan(fdb, 2);
	fdb_age(fdb, 0);
	assert_int_equal(stats_of(fdb).entries, 1);
	fdb_destroy(fdb);
}

static void
test_flush_by_walk(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 10, 1);
	learn_many(fdb, 10, 10, 2);
	learn(fdb, MAC(0), 2, 1);
	learn(fdb, MAC(1), 2, 2);
	assert_int_equal(fdb_add_static(fdb, MAC(100), 1, 1), 0);
	assert_int_equal(fdb_flush(fdb, 1, 1), 10);
	assert_int_equal(lookup(fdb, MAC(0), 2), 1);
	assert_int_equal(fdb_flush(fdb, FDB_MISS, 2), 2);
	assert_int_equal(fdb_flush(fdb, 2, -1), 10);
	assert_int_equal(fdb_flush(fdb, FDB_MISS, -1), 0);
	assert_int_equal(stats_of(fdb).entries, 1);
	assert_int_equal(lookup(fdb, MAC(100), 1), 1);
	fdb_destroy(fdb);
}

static void
test_generations_wrap(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	for (unsigned i = 0; i < 70000; i++) {
		fdb_flush_port(fdb, 7);
		if (lookup(fdb, MAC(1), 1) != FDB_MISS)
			fail_msg("revived by flush %u of the port", i);
	}
	learn(fdb, MAC(1), 1, 7);
	for (unsigned i = 0; i < 300; i++) {
		fdb_flush_vlan(fdb, 1);
		if (lookup(fdb, MAC(1), 1) != FDB_MISS)
			fail_msg("revived by flush %u of the VLAN", i);
	}
	assert_int_equal(stats_of(fdb).entries, 0);
	fdb_destroy(fdb);
}

static void
test_forget_port(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 5, 1);
	learn_many(fdb, 5, 5, 2);
	assert_int_equal(fdb_add_static(fdb, MAC(100), 1, 1), 0);
	assert_int_equal(fdb_add_static(fdb, MAC(101), 1, 2), 0);
	fdb_set_limit(fdb, 1, 5);
	fdb_forget_port(fdb, 1);
	assert_int_equal(found_at(fdb, 0, 5, FDB_MISS), 5);
	assert_int_equal(lookup(fdb, MAC(100), 1), FDB_MISS);
	assert_int_equal(lookup(fdb, MAC(101), 1), 2);
	assert_int_equal(stats_of(fdb).entries, 6);
	learn_many(fdb, 20, 10, 1);
	assert_int_equal(fdb_port_entries(fdb, 1), 10);
	fdb_destroy(fdb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ageing),
		cmocka_unit_test(test_longest_ageing),
		cmocka_unit_test(test_long_intervals),
		cmocka_unit_test(test_change_of_ageing),
		cmocka_unit_test(test_flush_port),
		cmocka_unit_test(test_flush_vlan),
		cmocka_unit_test(test_flush_by_walk),
		cmocka_unit_test(test_generations_wrap),
		cmocka_unit_test(test_forget_port),
	};

	return cmocka_run_group_tests_name("fdb_age", tests, NULL, NULL);
}
