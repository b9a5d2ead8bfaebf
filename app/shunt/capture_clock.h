/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the processor's time stamp counter, which records carry, to the time of day. Both are read
 * together when a capture begins and once a second from then on, so that neither the error of the
 * counter's rate nor a clock that is being adjusted adds up.
 *
 * Thread safety: a clock belongs to one thread.
 */
#ifndef SHUNT_CLI_CAPTURE_CLOCK_H
#define SHUNT_CLI_CAPTURE_CLOCK_H

#include <stdint.h>

struct capture_clock {
	uint64_t tsc;    /**< when both were read last */
	uint64_t ns;     /**< the time of day then, since 1970 */
	uint64_t latest; /**< the last time that was said */
	double ns_per_tick;
	uint64_t first_tsc;    /**< when the rate began to be measured */
	uint64_t first_steady; /**< nanoseconds of CLOCK_MONOTONIC_RAW then */
};

/** Takes some 20 ms. */
void capture_clock_init(struct capture_clock *clock);

/** Call now and then; reads the clocks at most once a second. */
void capture_clock_follow(struct capture_clock *clock);

/**
 * The time of day at a reading of the counter, in nanoseconds since 1970. For readings that rise it
 * does not fall, unless somebody sets the clock back by more than a millisecond.
 */
uint64_t capture_clock_ns(struct capture_clock *clock, uint64_t tsc);

#endif
