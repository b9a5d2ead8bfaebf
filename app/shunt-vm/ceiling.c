/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's ceiling: the same load, with a back end in this process that moves no data. */
#include "ceiling.h"

#include <time.h>

#include "fleet.h"
#include "loop.h"
#include "mode.h"
#include "base/shared.h"
#include "base/tsc.h"

enum { CEILING_VMS = 2, CEILING_VMS_FLOOD = 16, CEILING_RUNS = 3 };

static const double CEILING_SECONDS = 0.02;

/** The simulated back end: counts of buffers returned, by station. */
struct ceiling {
	struct loop loop;
	uint16_t sent[CEILING_VMS * VM_PAIRS_MAX], received[CEILING_VMS * VM_PAIRS_MAX];
};

/** Return n buffers of a queue; no other memory is accessed. */
static void
ceiling_return(struct queue *queue, uint16_t *done, unsigned n, uint32_t length)
{
	uint16_t count = *done, end = (uint16_t)(count + n), mask = queue->slot_mask;
	unsigned shift = queue->slot_shift, entries = queue->entries;
	struct packed_desc *desc = queue->pdesc;

	*done = end;
	if (!queue->config.packed) {
		shared_store_release(&queue->used_ring->idx, end);
		return;
	}
	/* Locals, since a ring could alias the queue, whose members would be reloaded per entry. */
	for (; count != end; count++) {
		bool wrap = !(count >> shift & 1);
		uint64_t flags = wrap ? VRING_PACKED_AVAIL | VRING_PACKED_USED : 0;

		desc[(count & mask) * entries].word =
			length | (uint64_t)(count & mask) << 32 | flags << 48;
	}
}

/** Write ids and lengths of a split used ring once; disable kicks. */
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

/** Return the send buffers that a station posted. @return their number */
static uint16_t
ceiling_return_sent(struct ceiling *ceiling, struct worker *worker, unsigned i)
{
	struct queue *tx = worker->stations[i]->tx;
	uint16_t n = (uint16_t)(tx->avail - ceiling->sent[i]);

	ceiling_return(tx, &ceiling->sent[i], n, 0);
	return n;
}

/** Deliver n frames to a station, or as many as it has receive buffers posted. */
static void
ceiling_deliver(struct ceiling *ceiling, struct worker *worker, unsigned i, uint16_t n)
{
	struct station *station = worker->stations[i];
	uint16_t space = (uint16_t)(station->rx->avail - ceiling->received[i]);

	ceiling_return(
		station->rx, &ceiling->received[i], n < space ? n : space, station->tx->lengths[0]);
}

/** Step: return all frames sent and deliver as many to the same station. */
static unsigned
ceiling_step_loop(struct worker *worker, void *context)
{
	struct ceiling *ceiling = context;

	for (unsigned i = 0; i < worker->n_stations; i++)
		ceiling_deliver(ceiling, worker, i, ceiling_return_sent(ceiling, worker, i));
	return loop_step(worker, &ceiling->loop);
}

/** Step: deliver the frames sent by the first station to all other stations. */
static unsigned
ceiling_step_flood(struct worker *worker, void *context)
{
	struct ceiling *ceiling = context;
	struct station *sender = worker->stations[0];
	uint16_t sent = ceiling_return_sent(ceiling, worker, 0);
	unsigned burst = sender->traffic->burst, space = station_space(sender, burst), moved = 0;

	station_send(sender, space < burst ? space : burst);
	for (unsigned i = 1; i < worker->n_stations; i++) {
		ceiling_deliver(ceiling, worker, i, sent);
		moved += station_receive(worker->stations[i], burst);
	}
	return moved;
}

/**
 * @return CPU time of this process, which other processes do not lengthen as they do elapsed time
 */
static double
ceiling_cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/** Run the load a few times. @return frames per second of CPU time; 0 on failure */
static double
ceiling_run(struct fleet *fleet)
{
	bool flood = fleet->settings->mode->flags & MODE_FLOOD;
	fleet_step step = flood ? ceiling_step_flood : ceiling_step_loop;
	struct ceiling ceiling = {0};
	double best = 0;
	struct err err;

	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *station = &fleet->stations[i];

		ceiling_prepare(station->tx, 0);
		ceiling_prepare(station->rx, station->tx->lengths[0]);
	}
	loop_start(&ceiling.loop, fleet);
	/* The best run counts: on a shared machine other loads slow a run down. */
	for (unsigned i = 0; i < CEILING_RUNS; i++) {
		uint64_t before = fleet_count(fleet).rx_frames;
		double from = ceiling_cpu_seconds(), pps;

		if (fleet_run(fleet, step, &ceiling, CEILING_SECONDS, &err) != 0)
			return 0;
		pps = (double)(fleet_count(fleet).rx_frames - before) /
		      (ceiling_cpu_seconds() - from);
		best = pps > best ? pps : best;
	}
	return best;
}

double
ceiling_measure(const struct settings *settings)
{
	struct settings own = *settings;
	struct fleet fleet;
	struct err err;
	unsigned most = own.mode->flags & MODE_FLOOD ? CEILING_VMS_FLOOD : CEILING_VMS;
	double pps = 0;

	if (own.n_vms > most)
		own.n_vms = most;
	own.options.threads = 1;
	own.options.reconnect = false;
	own.sample = own.sample == 1 ? 1 : 0; /* returned marks would not match their flow */
	for (unsigned i = 0; i < own.n_vms; i++) {
		own.vms[i].server = false;
		own.vms[i].mrg = false; /* the simulated back end writes no headers */
		if (own.mode->flags & MODE_FLOOD)
			own.vms[i].queues = 1; /* a VM receives a copy on one queue */
	}
	if (fleet_open_unconnected(&fleet, &own, &err) == 0)
		pps = ceiling_run(&fleet);
	fleet_close(&fleet);
	return pps;
}
