/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversion of TSC values, which capture records carry, to the time of day. Both are read together
 * when a capture begins and once per second afterwards, so that neither the error of the measured
 * TSC frequency nor adjustments of the clock accumulate.
 *
 * Thread safety: a clock belongs to one thread.
 */
#ifndef SHUNT_CLI_CAPTURE_CLOCK_H
#define SHUNT_CLI_CAPTURE_CLOCK_H

#include <stdint.h>

struct capture_clock {
	uint64_t tsc;    /**< TSC of the last reading */
	uint64_t ns;     /**< time of day of the last reading, nanoseconds since 1970 */
	uint64_t latest; /**< last result of capture_clock_ns() */
	double ns_per_tick;
	uint64_t first_tsc;    /**< TSC at the start of the frequency measurement */
	uint64_t first_steady; /**< CLOCK_MONOTONIC_RAW at that time, nanoseconds */
};

/** Initialize a clock and measure the TSC frequency; takes some 20 ms. */
void capture_clock_init(struct capture_clock *clock);

/** Update the clock; to be called regularly. Reads the clocks at most once per second. */
void capture_clock_follow(struct capture_clock *clock);

/**
 * Convert a TSC value to nanoseconds since 1970. Results do not decrease for increasing TSC values
 * unless the clock is set back by more than a millisecond.
 */
uint64_t capture_clock_ns(struct capture_clock *clock, uint64_t tsc);

#endif
