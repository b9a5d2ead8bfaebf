/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling lcores: find the ports of a burst. Three passes: prefetch the first bucket of every key,
 * compare, and look into the second bucket for what was not in the first.
 */
#include "fdb/fdb_internal.h"

enum { LOOKUP_RETRIES = 3 };

static void
prefetch_primary(const struct fdb *fdb, struct fdb_search *search, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		search->hash[i] = fdb_hash(fdb, search->key[i]);
		_mm_prefetch(&fdb->buckets[fdb_primary(fdb, search->hash[i])], _MM_HINT_T0);
	}
}

static inline uint64_t
search_bucket(const struct fdb_bucket *bucket, uint64_t key)
{
	unsigned mask = fdb_match(bucket, key);

	return mask ? fdb_slot_read(bucket, (size_t)__builtin_ctz(mask), key) : 0;
}

static void
search_primary(const struct fdb *fdb, struct fdb_search *search, unsigned n)
{
	const struct fdb_bucket *buckets = fdb->buckets;
	uint32_t mask = fdb->mask;
	unsigned misses = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t bucket = (uint32_t)search->hash[i] & mask;

		search->value[i] = search_bucket(&buckets[bucket], search->key[i]);
		if (search->value[i] & FDB_VALID)
			continue;
		bucket = fdb_secondary(fdb, search->hash[i]);
		_mm_prefetch(&buckets[bucket], _MM_HINT_T0);
		search->missed[misses++] = (uint8_t)i;
	}
	search->misses = misses;
}

static void
search_secondary(const struct fdb *fdb, struct fdb_search *search)
{
	unsigned misses = 0;

	/* Second bucket after first: displacement the other way relies on it. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	for (unsigned m = 0; m < search->misses; m++) {
		uint8_t i = search->missed[m];
		uint32_t bucket = fdb_secondary(fdb, search->hash[i]);

		search->value[i] = search_bucket(&fdb->buckets[bucket], search->key[i]);
		if (!(search->value[i] & FDB_VALID))
			search->missed[misses++] = i;
	}
	search->misses = misses;
}

void
fdb_search_burst(const struct fdb *fdb, struct fdb_search *search, unsigned n)
{
	prefetch_primary(fdb, search, n);
	search_primary(fdb, search, n);
	if (search->misses)
		search_secondary(fdb, search);
}

/** Both buckets of what was missed, at leisure. */
static void
search_again(const struct fdb *fdb, struct fdb_search *search)
{
	unsigned misses = search->misses;

	search->misses = 0;
	for (unsigned m = 0; m < misses; m++) {
		uint8_t i = search->missed[m];
		uint32_t bucket = fdb_primary(fdb, search->hash[i]);

		search->value[i] = search_bucket(&fdb->buckets[bucket], search->key[i]);
		if (!(search->value[i] & FDB_VALID))
			search->missed[search->misses++] = i;
	}
	search_secondary(fdb, search);
}

/**
 * An entry on its way from its second to its first bucket can be missed in both: it was not yet in
 * the one, and no longer in the other. The writer counts between copying and clearing. The load of
 * the count pairs with that: no change since before the search, no such miss.
 */
static void
search_displaced(const struct fdb *fdb, struct fdb_search *search, uint32_t displaced)
{
	for (unsigned tries = 0; search->misses && tries < LOOKUP_RETRIES; tries++) {
		uint32_t before = displaced;

		/* No load of a bucket may be left for after this one. */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		displaced = __atomic_load_n(&fdb->displaced, __ATOMIC_ACQUIRE);
		if (displaced == before)
			return;
		search_again(fdb, search);
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

/** Number the runs of equal keys: trains of frames to one address are searched for once. */
static unsigned
number_runs(const uint64_t keys[], uint8_t run[], uint64_t distinct[], unsigned n)
{
	unsigned last = 0;

	run[0] = 0;
	distinct[0] = keys[0];
	for (unsigned i = 1; i < n; i++) {
		last += keys[i] != keys[i - 1];
		run[i] = (uint8_t)last;
		distinct[last] = keys[i];
	}
	return last + 1;
}

static inline void
resolve(const struct fdb *fdb, const struct fdb_search *search, uint16_t ports[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bool live = fdb_is_live(fdb, search->key[i], search->value[i]);

		ports[i] = live ? fdb_value_port(search->value[i]) : FDB_MISS;
	}
}

void
fdb_lookup_burst(const struct fdb *fdb, const uint64_t keys[], uint16_t ports[], unsigned n)
{
	struct fdb_search search;
	uint16_t found[FDB_BURST_MAX];
	uint8_t run[FDB_BURST_MAX];
	uint32_t displaced;
	unsigned runs;

	assert(n <= FDB_BURST_MAX);
	if (!n)
		return;
	displaced = __atomic_load_n(&fdb->displaced, __ATOMIC_ACQUIRE);
	runs = number_runs(keys, run, search.key, n);
	fdb_search_burst(fdb, &search, runs);
	search_displaced(fdb, &search, displaced);
	if (runs == n) {
		resolve(fdb, &search, ports, runs);
		return;
	}
	resolve(fdb, &search, found, runs);
	for (unsigned i = 0; i < n; i++)
		ports[i] = found[run[i]];
}

void
fdb_prefetch_burst(const struct fdb *fdb, const uint64_t keys[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		_mm_prefetch(&fdb->buckets[fdb_primary(fdb, fdb_hash(fdb, keys[i]))], _MM_HINT_T0);
}
