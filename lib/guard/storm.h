/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Storm control: so many frames a second that a port sends to everybody, broadcast, multicast and
 * unknown unicast together, and a tenth of that many at once after a pause.
 *
 * One word says by when the frames that have passed would have come at that rate. It is shared by
 * the lcores that poll queues of the port, so that several queues get no more than one.
 *
 * Thread safety: a rate is constant once set; the word is for any number of polling lcores.
 */
#ifndef SHUNT_GUARD_STORM_H
#define SHUNT_GUARD_STORM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	STORM_SHIFT = 8, /**< time is counted in 1/256 TSC cycles */
	STORM_BURSTS = 10,
};

struct storm_rate {
	uint64_t gap;    /**< between two frames */
	uint64_t depth;  /**< what may pass at once */
	uint64_t second; /**< no lcore's clock is as far behind another's */
};

/** @param pps frames a second, 1 to 1e8 @param hz TSC cycles a second, up to 16 GHz */
static inline void
storm_rate_set(struct storm_rate *rate, uint64_t pps, uint64_t hz)
{
	uint64_t burst = pps < STORM_BURSTS ? 1 : pps / STORM_BURSTS;

	rate->second = hz << STORM_SHIFT;
	rate->gap = rate->second / pps;
	rate->depth = burst * rate->gap;
}

/**
 * How many of n frames may pass now? They are counted as passed.
 *
 * @param due 0 before the first frame; may be left alone for as long as nobody sends
 * @param now TSC cycles
 */
static inline uint16_t
storm_pass(_Atomic uint64_t *due, const struct storm_rate *rate, uint64_t now, uint16_t n)
{
	uint64_t old = atomic_load_explicit(due, memory_order_relaxed), ahead, space;

	now <<= STORM_SHIFT;
	do {
		/* In the past, which wraps to far ahead: nothing is owed. */
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
