/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A token bucket on TSC cycles. A frame passes if there are any tokens; then its whole length is
 * taken, which may make them negative. Thus frames of any length pass with any burst, and over time
 * bytes pass at the rate for any mix of lengths.
 *
 * A token is 2^-32 bytes, and a cycle yields a whole number of tokens: from 1 Mb/s on the error is
 * less than 0.001%, and no tokens are lost between two fills.
 *
 * Thread safety: a rate is constant once set; a bucket belongs to one thread at a time.
 */
#ifndef SHUNT_RATE_BUCKET_H
#define SHUNT_RATE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* In bits per second and bytes. Tokens of twice the longest burst fit in 63 bits. */
#define BUCKET_RATE_MIN  UINT64_C(1000)
#define BUCKET_RATE_MAX  UINT64_C(1000000000000)
#define BUCKET_BURST_MAX UINT64_C(512000000)

enum { BUCKET_SHIFT = 32 };

/** Rate and burst of a bucket. */
struct bucket_rate {
	uint64_t per_cycle; /**< tokens per TSC cycle */
	int64_t depth;      /**< tokens of a burst */
	uint64_t horizon;   /**< cycles that fill the bucket from any state */
};

/** State of a bucket. If zeroed, it is full from its first fill on. */
struct bucket {
	uint64_t since; /**< TSC of the last fill */
	int64_t tokens; /**< negative after a frame longer than the rest */
};

/**
 * Set the rate and burst of a bucket.
 *
 * @param bits per second, BUCKET_RATE_MIN to BUCKET_RATE_MAX
 * @param burst bytes that may pass at once after a pause, 1 to BUCKET_BURST_MAX
 * @param hz TSC cycles per second, up to 16 GHz
 */
void bucket_rate_set(struct bucket_rate *rate, uint64_t bits, uint64_t burst, uint64_t hz);

/**
 * Derive a burst from a rate.
 *
 * @param bits per second
 * @param milliseconds that the burst takes at this rate
 * @param least lower limit of the result
 * @return bytes, up to BUCKET_BURST_MAX
 */
uint64_t bucket_burst_for(uint64_t bits, unsigned milliseconds, uint64_t least);

/**
 * Add the tokens since the last fill.
 *
 * @param now TSC; may be before the last fill, since TSCs of CPUs may differ
 */
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

/** Take the tokens of a frame, if it may pass. @param bytes up to 16 MB @return true if it may */
static inline bool
bucket_take(struct bucket *bucket, uint32_t bytes)
{
	if (bucket->tokens <= 0)
		return false;
	bucket->tokens -= (int64_t)bytes << BUCKET_SHIFT;
	return true;
}

#endif
