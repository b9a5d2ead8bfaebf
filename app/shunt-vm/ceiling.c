/* SPDX-License-Identifier: BSD-3-Clause */
#include "ceiling.h"

#include <sched.h>

#include "fleet.h"
#include "loop.h"
#include "mode.h"
#include "tsc.h"

static const double CEILING_SECONDS = 0.05;

/** Return n buffers of a queue as a back end that touches nothing else. */
static void
ceiling_return(struct queue *queue, unsigned n, uint32_t length)
{
	if (!queue->config.packed) {
		uint16_t idx = queue->used_ring->idx;

		__atomic_store_n(&queue->used_ring->idx, (uint16_t)(idx + n), __ATOMIC_RELEASE);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		uint16_t count = (uint16_t)(queue->used + i);
		bool wrap = !(count >> queue->slot_shift & 1);
		uint64_t flags = wrap ? VRING_PACKED_AVAIL | VRING_PACKED_USED : 0;

		queue->pdesc[queue_entry(queue, count)].word =
			length | (uint64_t)(count & queue->slot_mask) << 32 | flags << 48;
	}
}

/** The ids and lengths of a split ring, once. */
static void
ceiling_prepare(struct queue *queue, uint32_t length)
{
	if (queue->config.packed) {
		queue->device_event->flags = VRING_EVENT_DISABLE;
		return;
	}
	for (unsigned i = 0; i < queue->config.size; i++)
		queue->used_ring->ring[i] = (struct split_used_elem){
			.id = queue_entry(queue, (uint16_t)i), .len = length};
	queue->used_ring->flags = VRING_NO_NOTIFY;
}

/** One round: the other side takes what was sent and delivers as many. */
static unsigned
ceiling_step(struct worker *worker, void *context)
{
	struct loop *loop = context;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned sent = queue_flight(station->tx), room = queue_flight(station->rx);
		uint32_t length = fleet_station(worker->fleet, 0)->tx->lengths[0];

		if (sent > station->traffic->burst)
			sent = station->traffic->burst;
		ceiling_return(station->tx, sent, 0);
		ceiling_return(station->rx, sent < room ? sent : room, length);
	}
	return loop_step(worker, loop);
}

double
ceiling_measure(const struct settings *settings)
{
	struct settings own = *settings;
	struct fleet fleet;
	struct loop loop;
	struct err err;
	double pps = 0;

	if (own.n_vms > 2)
		own.n_vms = 2;
	own.options.threads = 1;
	own.sample = own.sample == 1 ? 1 : 0; /* marks that come back would not fit their flow */
	for (unsigned i = 0; i < own.n_vms; i++) {
		own.vms[i].server = false;
		own.vms[i].mrg = false; /* headers are not written by the other side */
	}
	if (fleet_open_apart(&fleet, &own, &err) == 0) {
		for (unsigned i = 0; i < fleet.n_stations; i++) {
			struct station *station = &fleet.stations[i];

			ceiling_prepare(station->tx, 0);
			ceiling_prepare(station->rx, station->tx->lengths[0]);
		}
		loop_start(&loop, &fleet);
		if (fleet_run(&fleet, ceiling_step, &loop, CEILING_SECONDS, &err) == 0)
			pps = (double)fleet_count(&fleet).rx_frames / fleet.seconds;
	}
	fleet_close(&fleet);
	return pps;
}
