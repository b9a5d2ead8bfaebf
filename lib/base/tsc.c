/* SPDX-License-Identifier: BSD-3-Clause */
/* Calibrates the time stamp counter and converts its ticks. */
#include "base/tsc.h"

#include <time.h>

enum { CALIBRATION_NS = 20000000, NS_PER_SECOND = 1000000000 };

static uint64_t tsc_rate;

static uint64_t
tsc_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

void
tsc_calibrate(void)
{
	struct timespec pause = {.tv_nsec = CALIBRATION_NS};
	uint64_t from_ns = tsc_monotonic_ns(), from = tsc_now();

	nanosleep(&pause, NULL);
	uint64_t ns = tsc_monotonic_ns() - from_ns, ticks = tsc_now() - from;
	tsc_rate = (uint64_t)((double)ticks * NS_PER_SECOND / (double)ns);
}

uint64_t
tsc_hz(void)
{
	return tsc_rate;
}

uint64_t
tsc_of(double seconds)
{
	return (uint64_t)(seconds * (double)tsc_rate);
}

double
tsc_seconds(uint64_t ticks)
{
	return tsc_rate == 0 ? 0 : (double)ticks / (double)tsc_rate;
}
