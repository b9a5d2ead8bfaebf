/* SPDX-License-Identifier: BSD-3-Clause */
/* Converts TSC values of captured frames to the time of day. */
#include "capture_clock.h"

#include <time.h>

#include "base/tsc.h"

enum { CLOCK_TRIES = 16, NS_PER_SECOND = 1000000000, NS_STEP = 1000000 };

/** @return time of a clock in nanoseconds */
static uint64_t
capture_clock_read(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/** Read a clock and the TSC together; of several tries the shortest one counts. */
static uint64_t
capture_clock_read_both(clockid_t id, uint64_t *tsc)
{
	uint64_t least = UINT64_MAX, ns = 0;

	*tsc = 0;
	for (int i = 0; i < CLOCK_TRIES; i++) {
		uint64_t before = tsc_now(), read = capture_clock_read(id), after = tsc_now();
		if (after - before >= least)
			continue;
		least = after - before;
		ns = read;
		*tsc = before + least / 2;
	}
	return ns;
}

void
capture_clock_init(struct capture_clock *clock)
{
	*clock = (struct capture_clock){0};
	clock->first_steady = capture_clock_read_both(CLOCK_MONOTONIC_RAW, &clock->first_tsc);
	tsc_calibrate();
	clock->ns_per_tick = (double)NS_PER_SECOND / (double)tsc_hz();
	clock->ns = capture_clock_read_both(CLOCK_REALTIME, &clock->tsc);
}

void
capture_clock_follow(struct capture_clock *clock)
{
	uint64_t tsc;

	if ((double)(tsc_now() - clock->tsc) * clock->ns_per_tick < NS_PER_SECOND)
		return;
	uint64_t steady = capture_clock_read_both(CLOCK_MONOTONIC_RAW, &tsc);
	clock->ns_per_tick =
		(double)(steady - clock->first_steady) / (double)(tsc - clock->first_tsc);
	clock->ns = capture_clock_read_both(CLOCK_REALTIME, &clock->tsc);
}

uint64_t
capture_clock_ns(struct capture_clock *clock, uint64_t tsc)
{
	double ticks = tsc >= clock->tsc ? (double)(tsc - clock->tsc) : -(double)(clock->tsc - tsc);
	uint64_t ns = clock->ns + (uint64_t)(int64_t)(ticks * clock->ns_per_tick);

	if (ns < clock->latest && clock->latest - ns < NS_STEP)
		ns = clock->latest;
	clock->latest = ns;
	return ns;
}
