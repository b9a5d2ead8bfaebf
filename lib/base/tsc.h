/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time stamp counter (TSC), the only clock cheap enough to be read once a burst.
 *
 * Thread safety: tsc_calibrate() once, before threads start; the rest from any thread.
 */
#ifndef SHUNT_BASE_TSC_H
#define SHUNT_BASE_TSC_H

#include <stdint.h>
#include <x86intrin.h>

/** Read the counter, which is monotonic on one machine. @return ticks since an arbitrary time */
static inline uint64_t
tsc_now(void)
{
	return __rdtsc();
}

/** Measure the frequency of the TSC; takes some 20 ms. */
void tsc_calibrate(void);

/** Get the frequency of the TSC. @return ticks per second; 0 before tsc_calibrate() */
uint64_t tsc_hz(void);

/**
 * Convert seconds to ticks.
 *
 * @param seconds 0 or more
 * @return ticks; 0 before tsc_calibrate()
 */
uint64_t tsc_of(double seconds);

/**
 * Convert ticks to seconds.
 *
 * @param ticks a difference of two tsc_now()
 * @return seconds; 0 before tsc_calibrate()
 */
double tsc_seconds(uint64_t ticks);

#endif
