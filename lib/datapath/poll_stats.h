/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Poll statistics of an lcore: histograms of frames per poll, and of the duration of a round of the
 * poll loop, from the begin of one round to the begin of the next.
 *
 * Thread safety: written by the polling lcore alone; the control thread reads each number with a
 * relaxed load, so that the numbers are not consistent with each other.
 */
#ifndef SHUNT_DATAPATH_POLL_STATS_H
#define SHUNT_DATAPATH_POLL_STATS_H

#include <stdint.h>

#include <rte_cycles.h>

#include "datapath/datapath.h"

enum {
	POLL_STATS_LOOP_SHIFT = 20,  /**< first bucket of durations: up to 1/2^20 s */
	POLL_STATS_SCALE_SHIFT = 32, /**< fraction bits of the scale */
};

/** Statistics of an lcore, and the round in progress. */
struct poll_stats {
	struct datapath_poll_stats seen;
	uint64_t begin; /**< TSC at the begin of the round; 0 = no round to account */
	uint64_t scale; /**< units of 1/2^20 s per TSC cycle, fixed point */
};

/** Reset all statistics. */
static inline void
poll_stats_init(struct poll_stats *stats)
{
	*stats = (struct poll_stats){
		.scale = (UINT64_C(1) << (POLL_STATS_LOOP_SHIFT + POLL_STATS_SCALE_SHIFT)) /
			 rte_get_tsc_hz(),
	};
}

/**
 * Get the histogram bucket of a number.
 *
 * @param number any
 * @return index: 0 for 0, 1 for 1, 2 for 2 to 3, 3 for 4 to 7, ...
 */
static inline unsigned
poll_stats_bucket(uint64_t number)
{
	return 63U - (unsigned)__builtin_clzll(2 * number + 1);
}

/** Account a poll with n frames. @param n at least 1 */
static inline void
poll_stats_burst(struct poll_stats *stats, unsigned n)
{
	stats->seen.burst[poll_stats_bucket(n - 1)]++;
}

/** Account the previous round and begin the next. @param now TSC */
static inline void
poll_stats_round(struct poll_stats *stats, uint64_t now)
{
	uint64_t cycles = now - stats->begin;
	unsigned bucket = poll_stats_bucket((cycles * stats->scale) >> POLL_STATS_SCALE_SHIFT);

	if (bucket >= DATAPATH_LOOP_BUCKETS)
		bucket = DATAPATH_LOOP_BUCKETS - 1;
	if (stats->begin != 0) {
		stats->seen.loop[bucket]++;
		stats->seen.loop_cycles += cycles;
	}
	stats->begin = now;
}

/** Discard the round in progress: the time until the next round begins is not accounted. */
static inline void
poll_stats_pause(struct poll_stats *stats)
{
	stats->begin = 0;
}

#endif
