/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling lcores: find the ports of a burst. Three passes: prefetch the first bucket of every key,
 * compare and prefetch the second bucket of what was not in the first, look there.
 */
#include "fdb/fdb_internal.h"

enum { LOOKUP_RETRIES = 3 };

unsigned
fdb_query_add(const struct fdb *fdb, struct fdb_query *query, uint64_t key)
{
	unsigned n = query->n;

	if (n > 0 && query->key[n - 1] == key)
		return n - 1;
	assert(n < FDB_BURST_MAX);
	query->key[n] = key;
	query->hash[n] = fdb_hash(fdb, key);
	_mm_prefetch(&fdb->buckets[fdb_primary(fdb, query->hash[n])], _MM_HINT_T0);
	query->n = n + 1;
	return n;
}

static inline uint64_t
search_bucket(const struct fdb_bucket *bucket, uint64_t key)
{
	unsigned mask = fdb_match(bucket, key);

	return mask ? fdb_slot_read(bucket, (size_t)__builtin_ctz(mask), key) : 0;
}

void
fdb_query_look(const struct fdb *fdb, struct fdb_query *query)
{
	const struct fdb_bucket *buckets = fdb->buckets;
	uint32_t mask = fdb->mask;
	unsigned misses = 0;

	query->displaced = __atomic_load_n(&fdb->displaced, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < query->n; i++) {
		uint32_t bucket = (uint32_t)query->hash[i] & mask;

		query->value[i] = search_bucket(&buckets[bucket], query->key[i]);
		if (query->value[i] & FDB_VALID)
			continue;
		bucket = fdb_secondary(fdb, query->hash[i]);
		_mm_prefetch(&buckets[bucket], _MM_HINT_T0);
		query->missed[misses++] = (uint8_t)i;
	}
	query->misses = misses;
}

static void
search_secondary(const struct fdb *fdb, struct fdb_query *query)
{
	unsigned misses = 0;

	/* Second bucket after first: displacement the other way relies on it. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	for (unsigned m = 0; m < query->misses; m++) {
		uint8_t i = query->missed[m];
		uint32_t bucket = fdb_secondary(fdb, query->hash[i]);

		query->value[i] = search_bucket(&fdb->buckets[bucket], query->key[i]);
		if (!(query->value[i] & FDB_VALID))
			query->missed[misses++] = i;
	}
	query->misses = misses;
}

void
fdb_search_burst(const struct fdb *fdb, struct fdb_query *query)
{
	if (query->misses)
		search_secondary(fdb, query);
}

/** Both buckets of what was missed, at leisure. */
static void
search_again(const struct fdb *fdb, struct fdb_query *query)
{
	unsigned misses = query->misses;

	query->misses = 0;
	for (unsigned m = 0; m < misses; m++) {
		uint8_t i = query->missed[m];
		uint32_t bucket = fdb_primary(fdb, query->hash[i]);

		query->value[i] = search_bucket(&fdb->buckets[bucket], query->key[i]);
		if (!(query->value[i] & FDB_VALID))
			query->missed[query->misses++] = i;
	}
	search_secondary(fdb, query);
}

/**
 * An entry on its way from its second to its first bucket can be missed in both: it was not yet in
 * the one, and no longer in the other. The writer counts between copying and clearing. The load of
 * the count pairs with that: no change since before the search, no such miss.
 */
static void
search_displaced(const struct fdb *fdb, struct fdb_query *query)
{
	for (unsigned tries = 0; query->misses && tries < LOOKUP_RETRIES; tries++) {
		uint32_t before = query->displaced;

		/* No load of a bucket may be left for after this one. */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		query->displaced = __atomic_load_n(&fdb->displaced, __ATOMIC_ACQUIRE);
		if (query->displaced == before)
			return;
		search_again(fdb, query);
	}
}

uint32_t
fdb_find(const struct fdb *fdb, uint64_t key, uint64_t hash)
{
	uint32_t index = fdb_primary(fdb, hash);
	unsigned mask = fdb_match(&fdb->buckets[index], key);

	if (!mask) {
		index = fdb_secondary(fdb, hash);
		mask = fdb_match(&fdb->buckets[index], key);
	}
	return mask ? index * FDB_WAYS + (unsigned)__builtin_ctz(mask) : FDB_NONE;
}

void
fdb_lookup_burst(const struct fdb *fdb, struct fdb_query *query)
{
	fdb_search_burst(fdb, query);
	search_displaced(fdb, query);
	for (unsigned i = 0; i < query->n; i++) {
		bool live = fdb_is_live(fdb, query->key[i], query->value[i]);

		query->port[i] = live ? fdb_value_port(query->value[i]) : FDB_MISS;
	}
}
