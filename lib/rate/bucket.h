/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A token bucket on TSC cycles: bytes that may pass. A frame passes while there are tokens, and then
 * its whole length is taken, which may leave a debt. So frames of any length pass however small the
 * burst, and what passes over time is the rate, whatever the mix.
 *
 * Tokens are counted in 2^-32 bytes, cycles are worth a whole number of them: from 1 Mb/s on that is
 * off by less than 0.001%, and nothing is lost between two fills.
 *
 * Thread safety: a rate is constant once set; a bucket belongs to one thread at a time.
 */
#ifndef SHUNT_RATE_BUCKET_H
#define SHUNT_RATE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Bits a second, and bytes. Tokens of twice the longest burst fit in 63 bits. */
#define BUCKET_RATE_MIN  UINT64_C(1000)
#define BUCKET_RATE_MAX  UINT64_C(1000000000000)
#define BUCKET_BURST_MAX UINT64_C(512000000)

enum { BUCKET_SHIFT = 32 };

/** How fast a bucket fills, and how far. */
struct bucket_rate {
	uint64_t per_cycle; /**< tokens */
	int64_t depth;      /**< tokens at most */
	uint64_t horizon;   /**< cycles that fill it whatever it owes */
};

/** What is in it. All zeros is full, from its first fill on. */
struct bucket {
	uint64_t since; /**< TSC of the last fill */
	int64_t tokens; /**< negative = a debt */
};

/**
 * Set a rate.
 *
 * @param bits per second, BUCKET_RATE_MIN to BUCKET_RATE_MAX
 * @param burst bytes that may pass at once after a pause, 1 to BUCKET_BURST_MAX
 * @param hz TSC cycles per second, up to 16 GHz
 */
void bucket_rate_set(struct bucket_rate *rate, uint64_t bits, uint64_t burst, uint64_t hz);

/** A burst that suits a rate: what passes in so many milliseconds, but not less than `least`. */
uint64_t bucket_burst_for(uint64_t bits, unsigned milliseconds, uint64_t least);

/** Add what has come since the last fill. Another CPU's clock may be a little behind. */
static inline void
bucket_fill(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now)
{
	if (now <= bucket->since)
		return;
	uint64_t passed = now - bucket->since;
	bucket->since = now;
	if (passed < rate->horizon)
		bucket->tokens += (int64_t)(passed * rate->per_cycle);
	else
		bucket->tokens = rate->depth;
	if (bucket->tokens > rate->depth)
		bucket->tokens = rate->depth;
}

/** May a frame of `bytes`, up to 16 MB, pass? Then they are taken. */
static inline bool
bucket_take(struct bucket *bucket, uint32_t bytes)
{
	if (bucket->tokens <= 0)
		return false;
	bucket->tokens -= (int64_t)bytes << BUCKET_SHIFT;
	return true;
}

#endif
