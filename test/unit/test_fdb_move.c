/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses learnt at two ports: sticky ports, and addresses that move too often. */
#include <errno.h>

#include "fdb_help.h"

enum { MOVES = 5, DAMPED = FDB_MOVES_DAMP };

static struct fdb *
make_damped(void)
{
	struct fdb *fdb = fdb_create(&(struct fdb_config){.capacity = 1024, .moves = MOVES});

	assert_non_null(fdb);
	fdb_age(fdb, 1000);
	return fdb;
}

static struct fdb_port_stats
port_stats(const struct fdb *fdb, uint16_t port)
{
	struct fdb_port_stats stats;

	fdb_get_port_stats(fdb, port, &stats);
	return stats;
}

/** Learn an address at both ports alternately. @return the port where it is then */
static uint16_t
flap(struct fdb *fdb, uint64_t mac, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		learn(fdb, mac, 1, lookup(fdb, mac, 1) == 1 ? 2 : 1);
	return lookup(fdb, mac, 1);
}

static void
test_sticky(void **state)
{
	struct fdb *fdb = make_damped();

	(void)state;
	fdb_set_sticky(fdb, 1, true);
	learn(fdb, MAC(1), 1, 1);
	learn(fdb, MAC(2), 1, 2);
	for (unsigned i = 0; i < 10; i++)
		learn(fdb, MAC(1), 1, 2);
	assert_int_equal(lookup(fdb, MAC(1), 1), 1);
	assert_int_equal(port_stats(fdb, 2).stuck, 10);
	assert_int_equal(stats_of(fdb).stuck, 10);
	/*
	 * A sticky port takes addresses of ports that are not sticky, and loses addresses that have
	 * aged.
	 */
	learn(fdb, MAC(2), 1, 1);
	assert_int_equal(lookup(fdb, MAC(2), 1), 1);
	assert_int_equal(port_stats(fdb, 1).entries, 2);
	fdb_age(fdb, 1000 + FDB_AGEING_DEFAULT + 1);
	learn(fdb, MAC(1), 1, 2);
	assert_int_equal(lookup(fdb, MAC(1), 1), 2);
	/* After a flush with its link, or once its port is not sticky, the address may move. */
	learn(fdb, MAC(3), 1, 1);
	fdb_flush_port(fdb, 1);
	learn(fdb, MAC(3), 1, 2);
	assert_int_equal(lookup(fdb, MAC(3), 1), 2);
	learn(fdb, MAC(4), 1, 1);
	fdb_set_sticky(fdb, 1, false);
	learn(fdb, MAC(4), 1, 2);
	assert_int_equal(lookup(fdb, MAC(4), 1), 2);
	assert_int_equal(stats_of(fdb).stuck, 10);
	fdb_destroy(fdb);
}

static void
test_damping(void **state)
{
	struct fdb *fdb = make_damped();

	(void)state;
	learn(fdb, MAC(1), 1, 1);
	assert_int_equal(flap(fdb, MAC(1), MOVES), 2);
	assert_int_equal(stats_of(fdb).damped, 0);
	for (unsigned i = 0; i < 7; i++)
		learn(fdb, MAC(1), 1, 1);
	assert_int_equal(lookup(fdb, MAC(1), 1), 2);
	assert_int_equal(port_stats(fdb, 1).damped, 7);
	assert_int_equal(port_stats(fdb, 2).damped, 0);
	assert_int_equal(stats_of(fdb).moved, MOVES);
	/* Other addresses move; so does the same address in another VLAN. */
	learn(fdb, MAC(2), 1, 1);
	assert_int_equal(flap(fdb, MAC(2), 1), 2);
	learn(fdb, MAC(1), 2, 2);
	learn(fdb, MAC(1), 2, 1);
	assert_int_equal(lookup(fdb, MAC(1), 2), 1);
	/* Damped for DAMPED seconds; then it may move as often again. */
	fdb_age(fdb, 1000 + DAMPED - 1);
	learn(fdb, MAC(1), 1, 1);
	assert_int_equal(lookup(fdb, MAC(1), 1), 2);
	fdb_age(fdb, 1000 + DAMPED);
	assert_int_equal(flap(fdb, MAC(1), MOVES), 1);
	assert_int_equal(flap(fdb, MAC(1), 2), 1);
	assert_int_equal(stats_of(fdb).damped, 10);
	fdb_destroy(fdb);
}

/** The same number of moves over a longer time is permitted. */
static void
test_slow_moves(void **state)
{
	struct fdb *fdb = make_damped();

	(void)state;
	learn(fdb, MAC(1), 1, 1);
	for (unsigned i = 0; i < 20; i++) {
		fdb_age(fdb, 1000 + i * FDB_MOVES_WINDOW);
		assert_int_equal(flap(fdb, MAC(1), 4), 1);
	}
	assert_int_equal(stats_of(fdb).moved, 80);
	assert_int_equal(stats_of(fdb).damped, 0);
	fdb_destroy(fdb);
}

/** A link that goes down flushes the address: learning it at another port is no move. */
static void
test_flush_of_damped(void **state)
{
	struct fdb *fdb = make_damped();

	(void)state;
	learn(fdb, MAC(1), 1, 1);
	assert_int_equal(flap(fdb, MAC(1), MOVES + 1), 2);
	fdb_flush_port(fdb, 2);
	learn(fdb, MAC(1), 1, 1);
	assert_int_equal(lookup(fdb, MAC(1), 1), 1);
	fdb_destroy(fdb);
}

/** More addresses move than the table of movers can hold: damped addresses stay damped. */
static void
test_many_movers(void **state)
{
	struct fdb *fdb = make_damped();
	unsigned held = 0;

	(void)state;
	learn(fdb, MAC(0), 1, 1);
	flap(fdb, MAC(0), MOVES + 1);
	for (unsigned i = 1; i < 900; i++) {
		learn(fdb, MAC(i), 1, 1);
		held += flap(fdb, MAC(i), MOVES + 1) == 2;
	}
	assert_uint_in_range(held, 100, 256);
	uint64_t moved = stats_of(fdb).moved;
	learn(fdb, MAC(0), 1, 1);
	assert_int_equal(lookup(fdb, MAC(0), 1), 2);
	assert_int_equal(stats_of(fdb).moved, moved);
	fdb_destroy(fdb);
}

static void
test_settings(void **state)
{
	struct fdb *fdb = fdb_create(&(struct fdb_config){0});

	(void)state;
	assert_int_equal(fdb_moves(fdb), FDB_MOVES_DEFAULT);
	assert_int_equal(fdb_set_moves(fdb, 0), -EINVAL);
	assert_int_equal(fdb_set_moves(fdb, FDB_MOVES_MAX + 1), -EINVAL);
	assert_int_equal(fdb_set_moves(fdb, 1), 0);
	fdb_age(fdb, 5);
	learn(fdb, MAC(1), 1, 1);
	assert_int_equal(flap(fdb, MAC(1), 2), 2);
	assert_int_equal(fdb_moves(fdb), 1);
	fdb_destroy(fdb);
	assert_null(fdb_create(&(struct fdb_config){.moves = FDB_MOVES_MAX + 1}));
}

/** Totals include counters of deleted ports; a new port with the same id starts at 0. */
static void
test_counters_of_a_port(void **state)
{
	struct fdb *fdb = make_damped();

	(void)state;
	fdb_set_limit(fdb, 3, 4);
	learn_many(fdb, 0, 10, 3);
	learn_many(fdb, 100, 10, 4);
	assert_int_equal(port_stats(fdb, 3).refused, 6);
	assert_int_equal(port_stats(fdb, 3).entries, 4);
	assert_int_equal(port_stats(fdb, 4).refused, 0);
	fdb_forget_port(fdb, 3);
	assert_int_equal(port_stats(fdb, 3).refused, 0);
	assert_int_equal(stats_of(fdb).refused, 6);
	fdb_destroy(fdb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_damping),
		cmocka_unit_test(test_slow_moves),
		cmocka_unit_test(test_flush_of_damped),
		cmocka_unit_test(test_many_movers),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_counters_of_a_port),
	};

	return cmocka_run_group_tests_name("fdb_move", tests, NULL, NULL);
}
