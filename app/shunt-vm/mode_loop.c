/* SPDX-License-Identifier: BSD-3-Clause */
/* Modes loop, which circulates frames, and idle, which only stays connected. */
#include <time.h>

#include "loop.h"
#include "mode.h"
#include "report.h"

int
mode_loop(struct fleet *fleet, json_t *result, struct err *err)
{
	struct loop loop;
	struct outcome outcome;
	uint64_t received;
	int code = fleet_prime(fleet, err);

	if (code != 0)
		return code;
	loop_start(&loop, fleet);
	code = fleet_run(fleet, loop_step, &loop, fleet->settings->seconds, err);
	received = fleet_count(fleet).rx_frames;
	if (code == 0)
		code = fleet_drain(fleet, LOOP_QUIET, err);
	outcome = report_outcome(fleet, received);
	report_traffic(fleet, &outcome, result);
	return code;
}

/** station_take: ignore a frame. */
static void
mode_idle_take(void *context, struct station *station, const struct received *received)
{
	(void)context;
	(void)station;
	(void)received;
}

/** Step: receive, then sleep a millisecond. */
static unsigned
mode_idle_step(struct worker *worker, void *context)
{
	struct timespec pause = {.tv_nsec = 1000000};
	unsigned moved = 0;

	(void)context;
	for (unsigned i = 0; i < worker->n_stations; i++)
		moved += station_walk(
			worker->stations[i], worker->stations[i]->rx->slots, mode_idle_take, NULL);
	nanosleep(&pause, NULL);
	return moved;
}

int
mode_idle(struct fleet *fleet, json_t *result, struct err *err)
{
	int code = fleet_run(fleet, mode_idle_step, NULL, fleet->settings->seconds, err);
	struct outcome outcome = report_outcome(fleet, fleet_count(fleet).rx_frames);

	report_traffic(fleet, &outcome, result);
	return code;
}
