/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A log-linear histogram of 64-bit values: exact up to 128, then 64 buckets for each power of two,
 * so that a quantile is at most 1.6% too high. (Debian 12 has no C library of HDR histograms.)
 *
 * Thread safety: a histogram belongs to one thread at a time; merge after the threads have ended.
 */
#ifndef SHUNT_VM_HISTOGRAM_H
#define SHUNT_VM_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 60 };

struct histogram {
	uint64_t total; /**< values added */
	uint64_t max;   /**< exact */
	uint64_t counts[HISTOGRAM_BUCKETS];
};

/** Add one value. */
void histogram_add(struct histogram *histogram, uint64_t value);

/** Add all values of another histogram. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/**
 * Get the value that a share of all values does not exceed.
 *
 * @param share 0 to 1
 * @return the upper bound of its bucket, at most the exact maximum; 0 when empty
 */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
