/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record of changes of the FDB: what is recorded, what is not, loss; and that the changes
 * alone, replayed, make the same table, also while lcores learn concurrently.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fdb/fdb_changes.h"
#include "fdb_help.h"

static void
expect(struct fdb *fdb, enum fdb_action action, uint64_t mac, uint16_t vlan, uint16_t port,
	uint16_t old_port)
{
	struct fdb_change change;

	assert_true(fdb_changes_take(fdb, &change));
	assert_int_equal(change.action, action);
	assert_int_equal(change.mac, mac);
	assert_int_equal(change.vlan, vlan);
	assert_int_equal(change.port, port);
	if (action == FDB_ACTION_MOVED)
		assert_int_equal(change.old_port, old_port);
}

static void
expect_flush(struct fdb *fdb, uint16_t port, uint16_t vlan, bool statics)
{
	struct fdb_change change;

	assert_true(fdb_changes_take(fdb, &change));
	assert_int_equal(change.action, FDB_ACTION_FLUSHED);
	assert_int_equal(change.port, port);
	assert_int_equal(change.vlan, vlan);
	assert_int_equal(change.statics, statics);
}

static void
expect_none(struct fdb *fdb)
{
	struct fdb_change change;

	assert_false(fdb_changes_take(fdb, &change));
}

static void
test_nothing_unless_recording(void **state)
{
	struct fdb *fdb = make(64, 300);

	(void)state;
	learn(fdb, MAC(1), 1, 7);
	expect_none(fdb);
	assert_int_equal(fdb_changes_record(fdb, true), 0);
	expect_none(fdb);
	learn(fdb, MAC(2), 1, 7);
	assert_int_equal(fdb_changes_record(fdb, false), 0);
	expect_none(fdb);
	learn(fdb, MAC(3), 1, 7);
	assert_int_equal(fdb_changes_record(fdb, true), 0);
	expect_none(fdb);
	assert_int_equal(fdb_changes_lost(fdb), 0);
	fdb_destroy(fdb);
}

static void
test_each_action(void **state)
{
	struct fdb *fdb = make(64, 10);

	(void)state;
	fdb_changes_record(fdb, true);
	learn(fdb, MAC(1), 0, 7);
	expect(fdb, FDB_ACTION_LEARNED, MAC(1), 0, 7, 0);
	learn(fdb, MAC(1), 0, 7);
	expect_none(fdb);
	learn(fdb, MAC(1), 0, 8);
	expect(fdb, FDB_ACTION_MOVED, MAC(1), 0, 8, 7);
	fdb_age(fdb, 5);
	learn(fdb, MAC(1), 0, 8); /* refreshed in another epoch */
	expect_none(fdb);
	fdb_age(fdb, 16);
	expect(fdb, FDB_ACTION_AGED, MAC(1), 0, 8, 0);
	expect_none(fdb);
	assert_int_equal(fdb_add_static(fdb, MAC(2), 4094, 9), 0);
	expect(fdb, FDB_ACTION_ADDED, MAC(2), 4094, 9, 0);
	assert_int_equal(fdb_add_static(fdb, MAC(2), 4094, 9), 0);
	learn(fdb, MAC(2), 4094, 7);
	expect_none(fdb);
	learn(fdb, MAC(3), 1, 7);
	assert_int_equal(fdb_add_static(fdb, MAC(3), 1, 8), 0);
	expect(fdb, FDB_ACTION_LEARNED, MAC(3), 1, 7, 0);
	expect(fdb, FDB_ACTION_ADDED, MAC(3), 1, 8, 0);
	assert_int_equal(fdb_del(fdb, MAC(3), 1), 0);
	expect(fdb, FDB_ACTION_DELETED, MAC(3), 1, 8, 0);
	assert_true(fdb_del(fdb, MAC(3), 1) < 0);
	expect_none(fdb);
	fdb_destroy(fdb);
}

static void
test_one_record_a_flush(void **state)
{
	struct fdb *fdb = make(1024, 300);
	struct fdb_change change;

	(void)state;
	learn_many(fdb, 0, 100, 7);
	learn_many(fdb, 100, 100, 8);
	fdb_changes_record(fdb, true);
	fdb_flush_port(fdb, 7);
	expect_flush(fdb, 7, FDB_VLAN_ALL, false);
	fdb_age(fdb, 5); /* sweeps the stale entries */
	fdb_flush_port(fdb, 7);
	expect_none(fdb); /* nothing was left to sweep */
	assert_int_equal(fdb_flush(fdb, 8, 2), 0);
	expect_none(fdb);
	assert_int_equal(fdb_flush(fdb, FDB_MISS, 1), 100);
	expect_flush(fdb, FDB_MISS, 1, false);
	learn_many(fdb, 0, 10, 7);
	while (fdb_changes_take(fdb, &change))
		;
	fdb_flush_vlan(fdb, 1);
	expect_flush(fdb, FDB_MISS, 1, false);
	learn_many(fdb, 0, 1, 7);
	assert_int_equal(fdb_add_static(fdb, MAC(9), 1, 7), 0);
	expect(fdb, FDB_ACTION_LEARNED, MAC(0), 1, 7, 0);
	expect(fdb, FDB_ACTION_ADDED, MAC(9), 1, 7, 0);
	fdb_forget_port(fdb, 7);
	expect_flush(fdb, 7, FDB_VLAN_ALL, true);
	fdb_forget_port(fdb, 7);
	expect_none(fdb);
	fdb_destroy(fdb);
}

static void
test_evicted(void **state)
{
	struct fdb *fdb = make(64, 300);
	struct fdb_change change;
	unsigned evicted = 0, learned = 0;

	(void)state;
	learn_many(fdb, 0, 64, 7);
	fdb_changes_record(fdb, true);
	learn_many(fdb, 1000, 8, 8);
	while (fdb_changes_take(fdb, &change)) {
		evicted += change.action == FDB_ACTION_EVICTED && change.port == 7;
		learned += change.action == FDB_ACTION_LEARNED && change.port == 8;
	}
	assert_int_equal(learned, 8);
	assert_int_equal(evicted, stats_of(fdb).replaced);
	assert_true(evicted >= 8);
	fdb_destroy(fdb);
}

static void
test_loss_is_counted(void **state)
{
	struct fdb *fdb = make(4 * FDB_CHANGES_MAX, 300);
	struct fdb_change change;
	unsigned taken = 0;

	(void)state;
	fdb_changes_record(fdb, true);
	learn_many(fdb, 0, FDB_CHANGES_MAX + 100, 7);
	assert_int_equal(fdb_changes_lost(fdb), 100);
	assert_int_equal(fdb_changes_lost(fdb), 0);
	while (fdb_changes_take(fdb, &change)) {
		assert_int_equal(change.mac, MAC(taken));
		taken++;
	}
	assert_int_equal(taken, FDB_CHANGES_MAX);
	learn(fdb, MAC(1), 1, 8);
	expect(fdb, FDB_ACTION_MOVED, MAC(1), 1, 8, 7);
	fdb_destroy(fdb);
}

/* Replay ---------------------------------------------------------------------------------------- */

enum { HOSTS = 512, VLANS = 2, PORTS = 8, REPLAY_CAPACITY = 256 };

/** The result of the changes: the port of each host and VLAN, FDB_MISS = none. */
struct mirror {
	uint16_t port[HOSTS][VLANS];
	bool is_static[HOSTS][VLANS];
	uint64_t lost;
};

static void
mirror_init(struct mirror *mirror)
{
	memset(mirror, 0, sizeof(*mirror));
	memset(mirror->port, 0xff, sizeof(mirror->port));
}

static void
mirror_flush(struct mirror *mirror, const struct fdb_change *change)
{
	for (unsigned host = 0; host < HOSTS; host++)
		for (uint16_t vlan = 0; vlan < VLANS; vlan++) {
			bool port = change->port == FDB_MISS ||
				    change->port == mirror->port[host][vlan];
			bool in = change->vlan == FDB_VLAN_ALL || change->vlan == vlan;
			if (port && in && (change->statics || !mirror->is_static[host][vlan])) {
				mirror->port[host][vlan] = FDB_MISS;
				mirror->is_static[host][vlan] = false;
			}
		}
}

static void
mirror_take(struct mirror *mirror, struct fdb *fdb)
{
	struct fdb_change change;

	while (fdb_changes_take(fdb, &change)) {
		/* A change after a loss does not continue the state before it. */
		mirror->lost += fdb_changes_lost(fdb);
		if (mirror->lost > 0)
			return;
		unsigned host = (unsigned)(change.mac >> 16);
		if (change.action == FDB_ACTION_FLUSHED) {
			mirror_flush(mirror, &change);
			continue;
		}
		uint16_t *port = &mirror->port[host][change.vlan];
		if (change.action == FDB_ACTION_LEARNED)
			assert_int_equal(*port, FDB_MISS);
		else if (change.action == FDB_ACTION_MOVED)
			assert_int_equal(*port, change.old_port);
		else if (change.action != FDB_ACTION_ADDED)
			assert_int_equal(*port, change.port);
		bool there = change.action == FDB_ACTION_LEARNED ||
			     change.action == FDB_ACTION_MOVED || change.action == FDB_ACTION_ADDED;
		*port = there ? change.port : FDB_MISS;
		mirror->is_static[host][change.vlan] = change.action == FDB_ACTION_ADDED;
	}
	mirror->lost += fdb_changes_lost(fdb);
}

static void
mirror_compare(const struct mirror *mirror, const struct fdb *fdb)
{
	unsigned there = 0;

	for (unsigned host = 0; host < HOSTS; host++)
		for (uint16_t vlan = 0; vlan < VLANS; vlan++) {
			struct fdb_entry entry = {.port = FDB_MISS};
			fdb_get(fdb, MAC(host), vlan, &entry);
			assert_int_equal(mirror->port[host][vlan], entry.port);
			assert_int_equal(mirror->is_static[host][vlan], entry.is_static);
			there += entry.port != FDB_MISS;
		}
	assert_true(there > 0);
}

/** One change of the control thread, chosen by a number. */
static void
control_step(struct fdb *fdb, unsigned number, uint64_t *now)
{
	uint64_t mac = MAC(number / 7 % HOSTS);
	uint16_t vlan = number % VLANS, port = number / 3 % PORTS;

	switch (number % 16) {
	case 0:
		fdb_add_static(fdb, mac, vlan, port);
		break;
	case 1:
	case 2:
		fdb_del(fdb, mac, vlan);
		break;
	case 3:
		fdb_flush_port(fdb, port);
		break;
	case 4:
		fdb_flush_vlan(fdb, vlan);
		break;
	case 5:
		fdb_forget_port(fdb, PORTS + port); /* nothing is ever learnt at this port */
		break;
	default:
		fdb_age(fdb, *now += 1 + number / 5 % 4);
	}
}

static void
test_replay(void **state)
{
	struct fdb *fdb = make(REPLAY_CAPACITY, 10);
	struct mirror mirror;
	unsigned seed = 1;
	uint64_t now = 0;

	(void)state;
	mirror_init(&mirror);
	fdb_changes_record(fdb, true);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned number = (unsigned)rand_r(&seed);
		for (unsigned i = 0; i < 16; i++)
			learn(fdb, MAC((unsigned)rand_r(&seed) % HOSTS), number % VLANS,
				(uint16_t)(number / 5 % PORTS));
		control_step(fdb, (unsigned)rand_r(&seed), &now);
		if (number % 64 == 0)
			fdb_flush(fdb, number / 64 % PORTS, -1);
		if (number % 128 == 0)
			fdb_forget_port(fdb, number / 128 % PORTS);
		if (number % 8 != 0)
			continue;
		mirror_take(&mirror, fdb);
		mirror_compare(&mirror, fdb);
	}
	assert_int_equal(mirror.lost, 0);
	fdb_destroy(fdb);
}

struct learner {
	struct fdb *fdb;
	unsigned seed;
	atomic_uint *ended;
};

static void *
run_learner(void *arg)
{
	struct learner *learner = arg;

	for (unsigned round = 0; round < 50000; round++)
		learn(learner->fdb, MAC((unsigned)rand_r(&learner->seed) % HOSTS),
			(uint16_t)(round % VLANS),
			(uint16_t)((unsigned)rand_r(&learner->seed) % PORTS));
	atomic_fetch_add_explicit(learner->ended, 1, memory_order_release);
	return NULL;
}

/** Two lcores learn, in an order that the table and its changes share. */
static void
test_replay_of_lcores(void **state)
{
	struct fdb *fdb = make(REPLAY_CAPACITY, 10);
	struct mirror mirror;
	atomic_uint ended = 0;
	unsigned seed = 3;
	struct learner learners[2] = {{fdb, 1, &ended}, {fdb, 2, &ended}};
	pthread_t threads[2];
	uint64_t now = 0;

	(void)state;
	mirror_init(&mirror);
	fdb_changes_record(fdb, true);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_learner, &learners[i]), 0);
	while (atomic_load_explicit(&ended, memory_order_acquire) < 2 && mirror.lost == 0) {
		control_step(fdb, (unsigned)rand_r(&seed), &now);
		mirror_take(&mirror, fdb);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	learn_many(fdb, 0, 1, 1);
	/* A thread that was not scheduled for long may have lost changes; the rest is compared. */
	if (mirror.lost == 0 && fdb_changes_lost(fdb) == 0) {
		mirror_take(&mirror, fdb);
		mirror_compare(&mirror, fdb);
	}
	fdb_destroy(fdb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_unless_recording),
		cmocka_unit_test(test_each_action),
		cmocka_unit_test(test_one_record_a_flush),
		cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_loss_is_counted),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_replay_of_lcores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
