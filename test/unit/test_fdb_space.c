/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fdb_help.h"

/* Space --------------------------------------------------------------------------------------- */

static void
test_limit(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	fdb_set_limit(fdb, 1, 3);
	learn_many(fdb, 0, 10, 1);
	assert_int_equal(fdb_port_entries(fdb, 1), 3);
	assert_int_equal(stats_of(fdb).refused, 7);
	/* Nor by a move of another port's address. */
	learn(fdb, MAC(50), 1, 2);
	learn(fdb, MAC(50), 1, 1);
	assert_int_equal(lookup(fdb, MAC(50), 1), 2);
	assert_int_equal(stats_of(fdb).refused, 8);
	fdb_set_limit(fdb, 1, 0);
	learn_many(fdb, 0, 10, 1);
	assert_int_equal(fdb_port_entries(fdb, 1), 10);
	fdb_destroy(fdb);
}

static void
test_fill_to_capacity(void **state)
{
	static const uint32_t capacities[] = {64, 1000, 1024, 65536, FDB_CAPACITY_MAX};

	(void)state;
	for (unsigned i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		uint32_t n = capacities[i];
		struct fdb *fdb = make(n, 0);

		learn_many(fdb, 0, n, 1);
		assert_int_equal(stats_of(fdb).refused, 0);
		assert_int_equal(stats_of(fdb).entries, n);
		assert_int_equal(walk(fdb, 0).n, n);
		assert_int_equal(found_at(fdb, 0, n, 1), n);
		learn_many(fdb, n, 10, 1);
		assert_int_equal(stats_of(fdb).refused, 10);
		fdb_destroy(fdb);
	}
}

static void
test_fairness(void **state)
{
	static const uint32_t capacities[] = {64, 4096};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t n = capacities[i];
		struct fdb *fdb = make(n, 0);

		learn_many(fdb, 0, 2 * n, 1);
		learn_many(fdb, 10 * n, 2 * n, 2);
		assert_int_equal(fdb_port_entries(fdb, 1), n / 2);
		assert_int_equal(fdb_port_entries(fdb, 2), n / 2);
		assert_int_equal(stats_of(fdb).replaced, n / 2);
		/*
		 * The port with most entries learns more: the second port keeps all of its entries.
		 */
		assert_int_equal(found_at(fdb, 10 * n, n / 2, 2), n / 2);
		learn_many(fdb, 20 * n, 4 * n, 1);
		assert_int_equal(found_at(fdb, 10 * n, n / 2, 2), n / 2);
		/* Two more ports get a share. */
		learn_many(fdb, 30 * n, n, 3);
		learn_many(fdb, 40 * n, n, 4);
		for (uint16_t port = 1; port <= 4; port++)
			assert_uint_in_range(fdb_port_entries(fdb, port), n / 4, n / 2);
		assert_int_equal(fdb_port_entries(fdb, 4), n / 4);
		assert_int_equal(stats_of(fdb).entries, n);
		assert_int_equal(walk(fdb, 0).n, n);
		fdb_destroy(fdb);
	}
}

/** More ports than entries. */
static void
test_many_ports(void **state)
{
	struct fdb *fdb = make(64, 0);

	(void)state;
	learn_many(fdb, 0, 64, 1);
	for (uint16_t port = 2; port < 200; port++)
		learn_many(fdb, 1000u * port, 2, port);
	assert_int_equal(stats_of(fdb).entries, 64);
	for (uint16_t port = 0; port < 200; port++)
		assert_uint_in_range(fdb_port_entries(fdb, port), 0, 2);
	fdb_destroy(fdb);
}

/** Random operations, compared with a simple model. */
static void
test_churn(void **state)
{
	enum { HOSTS = 900 };
	struct fdb *fdb = make(1024, 0);
	uint16_t at[HOSTS];
	unsigned seed = 42;

	(void)state;
	memset(at, 0xff, sizeof(at));
	for (unsigned i = 0; i < 300000; i++) {
		unsigned host = (unsigned)rand_r(&seed) % HOSTS;
		uint16_t port = (uint16_t)(rand_r(&seed) % 8);

		assert_int_equal(lookup(fdb, MAC(host), 1), at[host]);
		switch (rand_r(&seed) % 2000) {
		case 0:
			fdb_flush_port(fdb, port);
			for (unsigned h = 0; h < HOSTS; h++)
				at[h] = at[h] == port ? FDB_MISS : at[h];
			break;
		case 1 ... 300:
			assert_int_equal(
				fdb_del(fdb, MAC(host), 1), at[host] == FDB_MISS ? -ENOENT : 0);
			at[host] = FDB_MISS;
			break;
		default:
			learn(fdb, MAC(host), 1, port);
			at[host] = port;
		}
	}
	assert_int_equal(stats_of(fdb).entries, walk(fdb, 0).n);
	assert_int_equal(stats_of(fdb).refused, 0);
	fdb_destroy(fdb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_fill_to_capacity),
		cmocka_unit_test(test_fairness),
		cmocka_unit_test(test_many_ports),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests_name("fdb_space", tests, NULL, NULL);
}
