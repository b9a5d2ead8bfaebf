/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Storm control: limits the rate of broadcast, multicast and unknown unicast frames of a port, all
 * together. The burst is a tenth of the frames per second.
 *
 * One word per port holds the time by which the frames passed so far would have arrived at that
 * rate. It is shared by the lcores that poll queues of the port, so that all queues together get
 * one rate.
 *
 * Thread safety: a rate is constant once set; any number of polling lcores may use the word.
 */
#ifndef SHUNT_FEATURES_STORM_RATE_H
#define SHUNT_FEATURES_STORM_RATE_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	STORM_SHIFT = 8, /**< unit of time: 1/256 TSC cycle */
	STORM_BURSTS = 10,
};

/** A rate, in units of 1/256 TSC cycle. */
struct storm_rate {
	uint64_t gap;    /**< time between two frames */
	uint64_t depth;  /**< time of a burst */
	uint64_t second; /**< the TSCs of two lcores differ by less */
};

/**
 * Set a rate, and its burst.
 *
 * @param pps frames per second, 1 to 1e8
 * @param hz TSC cycles per second, up to 16 GHz
 */
static inline void
storm_rate_set(struct storm_rate *rate, uint64_t pps, uint64_t hz)
{
	uint64_t burst = pps < STORM_BURSTS ? 1 : pps / STORM_BURSTS;

	rate->second = hz << STORM_SHIFT;
	rate->gap = rate->second / pps;
	rate->depth = burst * rate->gap;
}

/**
 * Police n frames. Those that pass use up the rate.
 *
 * @param due the word of the port; 0 before the first frame
 * @param now TSC cycles
 * @param n frames of a burst
 * @return number of frames that may pass, up to n
 */
static inline uint16_t
storm_pass(_Atomic uint64_t *due, const struct storm_rate *rate, uint64_t now, uint16_t n)
{
	uint64_t old = atomic_load_explicit(due, memory_order_relaxed), ahead, space;

	now <<= STORM_SHIFT;
	do {
		/* If `old` is in the past, the difference wraps: the full burst may pass. */
		ahead = old - now;
		if (ahead > rate->depth + rate->second)
			ahead = 0;
		space = ahead < rate->depth ? (rate->depth - ahead) / rate->gap : 0;
		if (space == 0)
			return 0;
		space = space < n ? space : n;
	} while (!atomic_compare_exchange_weak_explicit(due, &old, now + ahead + space * rate->gap,
		memory_order_relaxed, memory_order_relaxed));
	return (uint16_t)space;
}

#endif
