/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the filtering table share: short names for one address at a time.
 *
 * Thread safety: that of the table.
 */
#ifndef SHUNT_TEST_FDB_HELP_H
#define SHUNT_TEST_FDB_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fdb/fdb.h"

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

static inline uint16_t
lookup(const struct fdb *fdb, uint64_t mac, uint16_t vlan)
{
	uint64_t key = fdb_key(mac, vlan);
	uint16_t port = 12345;

	fdb_lookup_burst(fdb, &key, &port, 1);
	return port;
}

static inline void
learn(struct fdb *fdb, uint64_t mac, uint16_t vlan, uint16_t port)
{
	uint64_t key = fdb_key(mac, vlan);

	fdb_learn_burst(fdb, &key, &port, 1);
}

/** Learn MAC(first) and the n - 1 after it on a port of VLAN 1. */
static inline void
learn_many(struct fdb *fdb, uint32_t first, uint32_t n, uint16_t port)
{
	uint64_t keys[FDB_BURST_MAX];
	uint16_t ports[FDB_BURST_MAX];
	unsigned fill = 0;

	for (uint32_t i = 0; i < n; i++) {
		keys[fill] = fdb_key(MAC(first + i), 1);
		ports[fill++] = port;
		if (fill == FDB_BURST_MAX || i == n - 1) {
			fdb_learn_burst(fdb, keys, ports, fill);
			fill = 0;
		}
	}
}

/** How many of those a lookup finds at the port. */
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

/* What a walk looks for, and finds. */
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
