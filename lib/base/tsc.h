/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processor's time stamp counter: the only clock that is cheap enough to be read once a burst.
 *
 * Thread safety: tsc_calibrate() once, before threads start; the rest from any thread.
 */
#ifndef SHUNT_BASE_TSC_H
#define SHUNT_BASE_TSC_H

#include <stdint.h>
#include <x86intrin.h>

/** Ticks since some time; never goes back on one machine. */
static inline uint64_t
tsc_now(void)
{
	return __rdtsc();
}

/** Find out how long a tick is; takes some 20 ms. */
void tsc_calibrate(void);

/** Ticks per second; 0 before tsc_calibrate(). */
uint64_t tsc_hz(void);

/** Ticks of that many seconds. */
uint64_t tsc_of(double seconds);

/** Seconds of that many ticks. */
double tsc_seconds(uint64_t ticks);

#endif
