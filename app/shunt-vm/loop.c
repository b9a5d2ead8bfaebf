/* SPDX-License-Identifier: BSD-3-Clause */
/* The load of circulating frames. */
#include "loop.h"

#include "base/tsc.h"

enum { LOOP_FRAMES = 512 };

static const double STALL_SECONDS = 0.2;

/**
 * Frames of a station in circulation. By default the frames of all stations together fit into one
 * receive ring, so that a receiver without CPU time loses none; --frames may exceed that.
 */
static unsigned
loop_share(unsigned frames, const struct fleet *fleet, const struct station *station)
{
	uint32_t bytes = station->traffic->shape.max + station->vm->header;
	uint32_t space = station->rx->config.slot_bytes;
	unsigned holds = station->rx->slots / ((bytes + space - 1) / space);
	unsigned most = frames != 0 ? holds : holds / (fleet->n_vms > 1 ? fleet->n_vms : 2);
	unsigned share = (frames != 0 ? frames : LOOP_FRAMES) / station->vm->pairs;

	share = share < most ? share : most;
	return share != 0 ? share : 1;
}

void
loop_start(struct loop *loop, struct fleet *fleet)
{
	loop->stall_ticks = tsc_of(STALL_SECONDS);
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *station = &fleet->stations[i];

		station->share =
			loop_share((unsigned)fleet->settings->options.frames, fleet, station);
		station->credit = station->share;
	}
}

unsigned
loop_station(struct station *station)
{
	unsigned burst = station->traffic->burst;
	unsigned space = station_space(station, burst);
	unsigned n = station_receive(station, burst), sent;

	station->credit += n;
	sent = station->credit < space ? station->credit : space;
	sent = sent < burst ? sent : burst;
	if (sent > 0) {
		station_send(station, sent);
		station->credit -= sent;
	}
	return n + sent;
}

/**
 * Check whether all frames in circulation are lost. Counters of other workers may lag.
 *
 * @return true if they are; false while a back end has frames to take, or another worker has not
 * run recently
 */
static bool
loop_is_over(const struct worker *worker, uint64_t stall_ticks)
{
	const struct fleet *fleet = worker->fleet;
	bool over = true;

	for (unsigned i = 0; i < fleet->n_workers; i++)
		over &= fleet->workers[i].now + stall_ticks > worker->now;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		over &= queue_flight(fleet->stations[i].tx) == 0;
	return over;
}

/** Send new frames when the switch has lost all of those in circulation. */
static void
loop_restart(struct worker *worker, uint64_t stall_ticks)
{
	for (unsigned i = 0; i < worker->n_stations; i++)
		station_space(worker->stations[i], UINT16_MAX);
	if (loop_is_over(worker, stall_ticks))
		for (unsigned i = 0; i < worker->n_stations; i++)
			if (worker->stations[i]->credit == 0)
				worker->stations[i]->credit = worker->stations[i]->share;
	worker->idle_since = worker->now;
}

unsigned
loop_step(struct worker *worker, void *context)
{
	const struct loop *loop = context;
	unsigned moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		worker->stations[i]->now = worker->now;
		moved += loop_station(worker->stations[i]);
	}
	if (moved == 0 && worker->now - worker->idle_since > loop->stall_ticks)
		loop_restart(worker, loop->stall_ticks);
	return moved;
}
