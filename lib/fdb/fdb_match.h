/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to the FDB: compares a key with all keys of a bucket at once.
 *
 * Thread safety: any thread; the bucket may be written meanwhile.
 */
#ifndef SHUNT_FDB_MATCH_H
#define SHUNT_FDB_MATCH_H

#include "fdb/fdb_table.h"

#if defined(__SANITIZE_THREAD__)
#define FDB_SCALAR 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FDB_SCALAR 1
#endif
#endif

#ifdef FDB_SCALAR

/* ThreadSanitizer has no vector load whose 8-byte elements are atomic. */
static inline unsigned
fdb_match(const struct fdb_bucket *bucket, uint64_t key)
{
	unsigned mask = 0;

	for (unsigned way = 0; way < FDB_WAYS; way++)
		mask |= (unsigned)(FDB_READ(bucket->key[way]) == key) << way;
	return mask;
}

#else

/**
 * A bit for each way that seems to hold the key. On x86 aligned 8-byte elements are not torn, and a
 * wrong bit does no harm: fdb_slot_read() checks the key again.
 */
static inline unsigned
fdb_match(const struct fdb_bucket *bucket, uint64_t key)
{
	const __m128i *keys = (const __m128i *)bucket->key;
	__m128i wanted = _mm_set1_epi64x((long long)key);
	__m128i low = _mm_cmpeq_epi64(_mm_load_si128(keys), wanted);
	__m128i high = _mm_cmpeq_epi64(_mm_load_si128(keys + 1), wanted);

	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high)));
}

#endif

#endif
