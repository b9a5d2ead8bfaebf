/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling lcores: find the ports of a burst. Three passes: prefetch the first bucket of each key;
 * search it, and prefetch the second bucket of keys not found; search the second bucket.
 */
#include "fdb/fdb_internal.h"
#include "fdb/fdb_match.h"

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

/** @return the value of a key in a bucket; 0 or without FDB_VALID if it is not there */
static inline uint64_t
fdb_search_bucket(const struct fdb_bucket *bucket, uint64_t key)
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

	query->displaced = atomic_load_explicit(&fdb->displaced, memory_order_acquire);
	for (unsigned i = 0; i < query->n; i++) {
		uint32_t bucket = (uint32_t)query->hash[i] & mask;

		query->value[i] = fdb_search_bucket(&buckets[bucket], query->key[i]);
		if (query->value[i] & FDB_VALID)
			continue;
		bucket = fdb_secondary(fdb, query->hash[i]);
		_mm_prefetch(&buckets[bucket], _MM_HINT_T0);
		query->missed[misses++] = (uint8_t)i;
	}
	query->misses = misses;
}

/** Search the second bucket of each missed key, and list those still missed. */
static void
fdb_search_secondary(const struct fdb *fdb, struct fdb_query *query)
{
	unsigned misses = 0;

	/* Read the second bucket after the first: else an entry displaced to it could be missed. */
	atomic_signal_fence(memory_order_seq_cst);
	for (unsigned m = 0; m < query->misses; m++) {
		uint8_t i = query->missed[m];
		uint32_t bucket = fdb_secondary(fdb, query->hash[i]);

		query->value[i] = fdb_search_bucket(&fdb->buckets[bucket], query->key[i]);
		if (!(query->value[i] & FDB_VALID))
			query->missed[misses++] = i;
	}
	query->misses = misses;
}

void
fdb_search_burst(const struct fdb *fdb, struct fdb_query *query)
{
	if (query->misses)
		fdb_search_secondary(fdb, query);
}

/** Search both buckets of the keys not found again; rare, therefore without prefetch. */
static void
fdb_search_again(const struct fdb *fdb, struct fdb_query *query)
{
	unsigned misses = query->misses;

	query->misses = 0;
	for (unsigned m = 0; m < misses; m++) {
		uint8_t i = query->missed[m];
		uint32_t bucket = fdb_primary(fdb, query->hash[i]);

		query->value[i] = fdb_search_bucket(&fdb->buckets[bucket], query->key[i]);
		if (!(query->value[i] & FDB_VALID))
			query->missed[query->misses++] = i;
	}
	fdb_search_secondary(fdb, query);
}

/**
 * An entry displaced from its second to its first bucket during the search can be missed in both:
 * not yet in the first, no longer in the second. The writer increments `displaced` between copying
 * and clearing, and the load here pairs with that: if the count has not changed since before the
 * search, no entry was missed.
 */
static void
fdb_search_displaced(const struct fdb *fdb, struct fdb_query *query)
{
	for (unsigned tries = 0; query->misses && tries < LOOKUP_RETRIES; tries++) {
		uint32_t before = query->displaced;

		/* Loads of buckets must not move below this load. */
		atomic_signal_fence(memory_order_seq_cst);
		query->displaced = atomic_load_explicit(&fdb->displaced, memory_order_acquire);
		if (query->displaced == before)
			return;
		fdb_search_again(fdb, query);
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
	fdb_search_displaced(fdb, query);
	for (unsigned i = 0; i < query->n; i++) {
		bool live = fdb_is_live(fdb, query->key[i], query->value[i]);

		query->port[i] = live ? fdb_value_port(query->value[i]) : FDB_MISS;
	}
}
