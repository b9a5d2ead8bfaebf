/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Helpers of the FDB tests: short names for operations on one address.
 *
 * Thread safety: that of the FDB.
 */
#ifndef SHUNT_TEST_FDB_HELP_H
#define SHUNT_TEST_FDB_HELP_H

#include "fdb/fdb.h"
#include "unit.h"

#define MAC(n) (UINT64_C(0x02) | (uint64_t)(n) << 16)

static inline struct fdb *
make(uint32_t capacity, uint32_t ageing)
{
	struct fdb *fdb = fdb_create(&(struct fdb_config){
		.capacity = capacity, .ageing = ageing, .moves = FDB_MOVES_MAX});

	assert_non_null(fdb);
	fdb_age(fdb, 0);
	return fdb;
}

static inline void
lookup_burst(const struct fdb *fdb, const uint64_t keys[], uint16_t ports[], unsigned n)
{
	struct fdb_query query = {.n = 0};
	unsigned place[FDB_BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		place[i] = fdb_query_add(fdb, &query, keys[i]);
	fdb_query_look(fdb, &query);
	fdb_lookup_burst(fdb, &query);
	for (unsigned i = 0; i < n; i++)
		ports[i] = query.port[place[i]];
}

/** Consecutive addresses of one port are learnt as a batch. */
static inline void
learn_burst(struct fdb *fdb, const uint64_t keys[], const uint16_t ports[], unsigned n)
{
	struct fdb_query query = {.n = 0};

	for (unsigned i = 0; i < n; i++) {
		fdb_query_add(fdb, &query, keys[i]);
		if (i + 1 < n && ports[i + 1] == ports[i])
			continue;
		fdb_query_look(fdb, &query);
		fdb_learn_burst(fdb, &query, ports[i]);
		query.n = 0;
	}
}

static inline uint16_t
lookup(const struct fdb *fdb, uint64_t mac, uint16_t vlan)
{
	uint64_t key = fdb_key(mac, vlan);
	uint16_t port;

	lookup_burst(fdb, &key, &port, 1);
	return port;
}

static inline void
learn(struct fdb *fdb, uint64_t mac, uint16_t vlan, uint16_t port)
{
	uint64_t key = fdb_key(mac, vlan);

	learn_burst(fdb, &key, &port, 1);
}

/** Learn MAC(first) and the n - 1 after it on a port of VLAN 1. */
static inline void
learn_many(struct fdb *fdb, uint32_t first, uint32_t n, uint16_t port)
{
	struct fdb_query query = {.n = 0};

	for (uint32_t i = 0; i < n; i++) {
		fdb_query_add(fdb, &query, fdb_key(MAC(first + i), 1));
		if (query.n == FDB_BURST_MAX || i == n - 1) {
			fdb_query_look(fdb, &query);
			fdb_learn_burst(fdb, &query, port);
			query.n = 0;
		}
	}
}

/** @return how many of these addresses a lookup finds at the port */
static inline uint32_t
found_at(const struct fdb *fdb, uint32_t first, uint32_t n, uint16_t port)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++)
		found += lookup(fdb, MAC(first + i), 1) == port;
	return found;
}

static inline struct fdb_stats
stats_of(const struct fdb *fdb)
{
	struct fdb_stats stats;

	fdb_get_stats(fdb, &stats);
	return stats;
}

/* Parameters and result of a walk. */
struct seen {
	uint64_t mac;
	uint32_t n;
	struct fdb_entry entry;
};

static inline bool
see(const struct fdb_entry *entry, void *arg)
{
	struct seen *seen = arg;

	seen->n++;
	if (entry->mac == seen->mac)
		seen->entry = *entry;
	return true;
}

static inline bool
see_one(const struct fdb_entry *entry, void *arg)
{
	see(entry, arg);
	return false;
}

static inline struct seen
walk(struct fdb *fdb, uint64_t mac)
{
	struct seen seen = {.mac = mac, .entry.port = FDB_MISS};

	fdb_walk(fdb, see, &seen);
	return seen;
}

static inline uint32_t
age_of(struct fdb *fdb, uint64_t mac)
{
	return walk(fdb, mac).entry.age;
}

#endif
