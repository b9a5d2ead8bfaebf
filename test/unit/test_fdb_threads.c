/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lookups, learning and control at once, in a table so small for its hosts that slots change all
 * the time. Each host is only ever at two ports, which identify it in most cases. Some hosts have
 * static entries: those are displaced like any other, but no lookup and no walk may miss them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fdb_help.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 10000 };
#else
enum { ROUNDS = 200000 };
#endif

enum { HOSTS = 400, KEPT = 40, CAPACITY = 256, LEARNERS = 2, READERS = 2, KEPT_PORT = 20 };

/* Shared by the threads; the numbers are atomic. */
struct stress {
	struct fdb *fdb;
	atomic_uint started; /* threads; gives each another seed */
	atomic_uint ended;
	atomic_uint hits;
	atomic_uint wrong;
	atomic_uint missed; /* static entries */
};

static uint16_t
port_of(unsigned host, bool other)
{
	return (uint16_t)(host % 7 + 8u * other);
}

static bool
is_right(unsigned host, uint16_t port)
{
	if (host < KEPT)
		return port == KEPT_PORT;
	return port == FDB_MISS || port == port_of(host, false) || port == port_of(host, true);
}

static void
draw(unsigned *seed, unsigned hosts[FDB_BURST_MAX], uint64_t keys[FDB_BURST_MAX])
{
	for (unsigned i = 0; i < FDB_BURST_MAX; i++) {
		hosts[i] = (unsigned)rand_r(seed) % HOSTS;
		keys[i] = fdb_key(MAC(hosts[i]), (uint16_t)(hosts[i] % 3));
	}
}

static void *
run_learner(void *arg)
{
	struct stress *stress = arg;
	unsigned seed = atomic_fetch_add_explicit(&stress->started, 1, memory_order_relaxed) + 1;
	unsigned hosts[FDB_BURST_MAX];
	uint64_t keys[FDB_BURST_MAX];
	uint16_t ports[FDB_BURST_MAX];

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned n = 1 + round % FDB_BURST_MAX;

		draw(&seed, hosts, keys);
		for (unsigned i = 0; i < n; i++)
			ports[i] = port_of(hosts[i], rand_r(&seed) % 64 == 0);
		learn_burst(stress->fdb, keys, ports, n);
	}
	atomic_fetch_add_explicit(&stress->ended, 1, memory_order_relaxed);
	return NULL;
}

static void *
run_reader(void *arg)
{
	struct stress *stress = arg;
	unsigned seed = atomic_fetch_add_explicit(&stress->started, 1, memory_order_relaxed) + 1;
	unsigned hosts[FDB_BURST_MAX];
	uint64_t keys[FDB_BURST_MAX];
	uint16_t ports[FDB_BURST_MAX];
	struct stress seen = {.hits = 0};

	for (unsigned round = 0; round < ROUNDS; round++) {
		draw(&seed, hosts, keys);
		lookup_burst(stress->fdb, keys, ports, FDB_BURST_MAX);
		for (unsigned i = 0; i < FDB_BURST_MAX; i++) {
			bool missed = ports[i] == FDB_MISS;

			seen.hits += !missed;
			seen.missed += missed && hosts[i] < KEPT;
			seen.wrong += !missed && !is_right(hosts[i], ports[i]);
		}
	}
	atomic_fetch_add_explicit(&stress->hits, seen.hits, memory_order_relaxed);
	atomic_fetch_add_explicit(&stress->missed, seen.missed, memory_order_relaxed);
	atomic_fetch_add_explicit(&stress->wrong, seen.wrong, memory_order_relaxed);
	atomic_fetch_add_explicit(&stress->ended, 1, memory_order_relaxed);
	return NULL;
}

static bool
count_kept(const struct fdb_entry *entry, void *arg)
{
	unsigned *n = arg;

	*n += entry->is_static && entry->port == KEPT_PORT;
	return true;
}

/** One step of the control thread. @return static entries that a walk missed or saw twice */
static unsigned
run_control(struct fdb *fdb, unsigned turn)
{
	unsigned host = KEPT + turn % (HOSTS - KEPT);
	unsigned kept = 0;

	/* In most steps, remove entries so that more are learnt. */
	switch (turn % 256) {
	case 0:
		fdb_age(fdb, turn);
		break;
	case 30:
		fdb_flush_port(fdb, (uint16_t)(turn / 256 % 15));
		break;
	case 60:
		fdb_flush_vlan(fdb, (uint16_t)(turn / 256 % 3));
		break;
	case 90:
		fdb_flush(fdb, (uint16_t)(turn / 256 % 15), -1);
		break;
	case 120:
		fdb_set_ageing(fdb, turn % 512 < 256 ? FDB_AGEING_MIN : FDB_AGEING_MAX);
		break;
	case 150:
		fdb_add_static(fdb, MAC(50), 2, port_of(50, false));
		break;
	case 180:
		fdb_forget_port(fdb, port_of(50, false));
		break;
	case 210:
		fdb_walk(fdb, count_kept, &kept);
		return kept != KEPT;
	default:
		fdb_del(fdb, MAC(host), (uint16_t)(host % 3));
	}
	return 0;
}

static void
run_all(struct stress *stress)
{
	pthread_t threads[LEARNERS + READERS];

	for (unsigned host = 0; host < KEPT; host++)
		assert_int_equal(
			fdb_add_static(stress->fdb, MAC(host), (uint16_t)(host % 3), KEPT_PORT), 0);
	for (unsigned i = 0; i < LEARNERS + READERS; i++)
		if (pthread_create(
			    &threads[i], NULL, i < LEARNERS ? run_learner : run_reader, stress))
			abort();
	for (unsigned turn = 1;
		atomic_load_explicit(&stress->ended, memory_order_relaxed) < LEARNERS + READERS;
		turn++) {
		unsigned missed = run_control(stress->fdb, turn);

		atomic_fetch_add_explicit(&stress->missed, missed, memory_order_relaxed);
	}
	for (unsigned i = 0; i < LEARNERS + READERS; i++)
		pthread_join(threads[i], NULL);
}

static void
test_threads(void **state)
{
	struct stress stress = {.fdb = make(CAPACITY, 0)};
	uint32_t entries;

	(void)state;
	run_all(&stress);
	assert_int_equal(stress.wrong, 0);
	assert_int_equal(stress.missed, 0);
	assert_true(stress.hits > 0);
	/* The counters agree with the entries. */
	fdb_age(stress.fdb, UINT32_MAX);
	learn_many(stress.fdb, 1000, 20, 3);
	entries = stats_of(stress.fdb).entries;
	assert_int_equal(entries, walk(stress.fdb, 0).n);
	assert_uint_in_range(entries, KEPT + 20, KEPT + 21);
	assert_int_equal(fdb_port_entries(stress.fdb, 3), 20);
	fdb_destroy(stress.fdb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("fdb_threads", tests, NULL, NULL);
}
