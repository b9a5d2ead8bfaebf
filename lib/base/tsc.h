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

/** Ticks since an arbitrary time; monotonic on one machine. */
static inline uint64_t
tsc_now(void)
{
	return __rdtsc();
}

/** Measure the frequency of the TSC; takes some 20 ms. */
void tsc_calibrate(void);

/** Ticks per second; 0 before tsc_calibrate(). */
uint64_t tsc_hz(void);

/** Convert seconds to ticks; 0 before tsc_calibrate(). */
uint64_t tsc_of(double seconds);

/** Convert ticks to seconds; 0 before tsc_calibrate(). */
double tsc_seconds(uint64_t ticks);

#endif
