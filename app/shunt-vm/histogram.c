/* SPDX-License-Identifier: BSD-3-Clause */
/* A log-linear histogram. */
#include "histogram.h"

enum { HALF_BITS = 6, HALF = 1 << HALF_BITS };

/** @return index of the bucket of a value */
static unsigned
histogram_bucket(uint64_t value)
{
	if (value < 2 * HALF)
		return (unsigned)value;
	unsigned shift = 63 - HALF_BITS - (unsigned)__builtin_clzll(value);

	return shift * HALF + (unsigned)(value >> shift);
}

/** @return the highest value of a bucket */
static uint64_t
histogram_top(unsigned bucket)
{
	if (bucket < 2 * HALF)
		return bucket;
	unsigned shift = bucket / HALF - 1;

	return ((uint64_t)(bucket % HALF + HALF + 1) << shift) - 1;
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->counts[histogram_bucket(value)]++;
	histogram->total++;
	if (value > histogram->max)
		histogram->max = value;
}

void
histogram_merge(struct histogram *histogram, const struct histogram *other)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->counts[i] += other->counts[i];
	histogram->total += other->total;
	if (other->max > histogram->max)
		histogram->max = other->max;
}

uint64_t
histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)histogram->total + 0.5), seen = 0;

	if (histogram->total == 0)
		return 0;
	if (wanted == 0)
		wanted = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= wanted)
			return histogram_top(i) < histogram->max ? histogram_top(i)
								 : histogram->max;
	}
	return histogram->max;
}
