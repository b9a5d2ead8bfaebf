/* SPDX-License-Identifier: BSD-3-Clause */
#include "loop.h"

#include "tsc.h"

enum { LOOP_FRAMES = 512 };

static const double STALL_SECONDS = 0.2;

/**
 * A station's share. All frames together fit into one receive ring, so that a receiver that does not
 * get its CPU for a while loses none; more only when the user says so.
 */
static unsigned
loop_share(unsigned frames, const struct fleet *fleet, const struct station *station)
{
	uint32_t bytes = station->traffic->shape.max + station->vm->header;
	uint32_t room = station->rx->config.slot_bytes;
	unsigned holds = station->rx->slots / ((bytes + room - 1) / room);
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
	unsigned room = station_room(station, burst);
	unsigned n = station_receive(station, burst), sent;

	station->credit += n;
	sent = station->credit < room ? station->credit : room;
	sent = sent < burst ? sent : burst;
	if (sent > 0) {
		station_send(station, sent);
		station->credit -= sent;
	}
	return n + sent;
}

/** Everything that circled is gone; a switch may lose frames, and then there are too few. */
static void
loop_restart(struct worker *worker)
{
	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];

		station_room(station, UINT16_MAX);
		if (queue_flight(station->tx) == 0 && station->credit == 0)
			station->credit = station->share;
	}
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
		loop_restart(worker);
	return moved;
}
