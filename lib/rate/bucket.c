/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes the rates and bursts of token buckets. */
#include "rate/bucket.h"

enum { BITS_SHIFT = BUCKET_SHIFT - 3 }; /* from bits to tokens */

void
bucket_rate_set(struct bucket_rate *rate, uint64_t bits, uint64_t burst, uint64_t hz)
{
	/* In two parts, since bits << BITS_SHIFT has up to 69 bits. */
	rate->per_cycle = (bits / hz << BITS_SHIFT) + ((bits % hz << BITS_SHIFT) + hz / 2) / hz;
	rate->depth = (int64_t)(burst << BUCKET_SHIFT);
	rate->horizon = (UINT64_C(1) << 62) / rate->per_cycle;
}

uint64_t
bucket_burst_for(uint64_t bits, unsigned milliseconds, uint64_t least)
{
	uint64_t burst = bits / 8 * milliseconds / 1000;

	if (burst < least)
		return least;
	return burst < BUCKET_BURST_MAX ? burst : BUCKET_BURST_MAX;
}
