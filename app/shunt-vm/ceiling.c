/* SPDX-License-Identifier: BSD-3-Clause */
#include "ceiling.h"

#include <time.h>

#include "fleet.h"
#include "loop.h"
#include "mode.h"
#include "base/tsc.h"

enum { CEILING_VMS = 2, CEILING_VMS_FLOOD = 16, CEILING_RUNS = 3 };

static const double CEILING_SECONDS = 0.02;

/** The other side: how many buffers of each station's queues it returned. */
struct ceiling {
	struct loop loop;
	uint16_t sent[CEILING_VMS * VM_PAIRS_MAX], received[CEILING_VMS * VM_PAIRS_MAX];
};

/** Return n buffers of a queue as a back end that touches nothing else. */
static void
ceiling_return(struct queue *queue, uint16_t *done, unsigned n, uint32_t length)
{
	uint16_t count = *done, end = (uint16_t)(count + n), mask = queue->slot_mask;
	unsigned shift = queue->slot_shift, entries = queue->entries;
	struct packed_desc *desc = queue->pdesc;

	*done = end;
	if (!queue->config.packed) {
		__atomic_store_n(&queue->used_ring->idx, end, __ATOMIC_RELEASE);
		return;
	}
	/* In locals: the rings could alias the queue, which would be loaded for each entry. */
	for (; count != end; count++) {
		bool wrap = !(count >> shift & 1);
		uint64_t flags = wrap ? VRING_PACKED_AVAIL | VRING_PACKED_USED : 0;

		desc[(count & mask) * entries].word =
			length | (uint64_t)(count & mask) << 32 | flags << 48;
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

/** Take what a station sent. @return how many */
static uint16_t
ceiling_take(struct ceiling *ceiling, struct worker *worker, unsigned i)
{
	struct queue *tx = worker->stations[i]->tx;
	uint16_t n = (uint16_t)(tx->avail - ceiling->sent[i]);

	ceiling_return(tx, &ceiling->sent[i], n, 0);
	return n;
}

/** Deliver n frames to a station, or as many as it has space for. */
static void
ceiling_deliver(struct ceiling *ceiling, struct worker *worker, unsigned i, uint16_t n)
{
	struct station *station = worker->stations[i];
	uint16_t space = (uint16_t)(station->rx->avail - ceiling->received[i]);

	ceiling_return(
		station->rx, &ceiling->received[i], n < space ? n : space, station->tx->lengths[0]);
}

/** One round: the other side takes what was sent and delivers as many. */
static unsigned
ceiling_step_loop(struct worker *worker, void *context)
{
	struct ceiling *ceiling = context;

	for (unsigned i = 0; i < worker->n_stations; i++)
		ceiling_deliver(ceiling, worker, i, ceiling_take(ceiling, worker, i));
	return loop_step(worker, &ceiling->loop);
}

/** One round: the other side delivers what the first station sent to all others. */
static unsigned
ceiling_step_flood(struct worker *worker, void *context)
{
	struct ceiling *ceiling = context;
	struct station *sender = worker->stations[0];
	uint16_t sent = ceiling_take(ceiling, worker, 0);
	unsigned burst = sender->traffic->burst, space = station_space(sender, burst), moved = 0;

	station_send(sender, space < burst ? space : burst);
	for (unsigned i = 1; i < worker->n_stations; i++) {
		ceiling_deliver(ceiling, worker, i, sent);
		moved += station_receive(worker->stations[i], burst);
	}
	return moved;
}

/** CPU time, not time: on a busy machine others run in between. */
static double
ceiling_cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

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
	/* The best of some: on a shared machine neighbours slow others down. */
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
	own.sample = own.sample == 1 ? 1 : 0; /* marks that come back would not fit their flow */
	for (unsigned i = 0; i < own.n_vms; i++) {
		own.vms[i].server = false;
		own.vms[i].mrg = false; /* headers are not written by the other side */
		if (own.mode->flags & MODE_FLOOD)
			own.vms[i].queues = 1; /* a copy goes to one queue of a VM */
	}
	if (fleet_open_apart(&fleet, &own, &err) == 0)
		pps = ceiling_run(&fleet);
	fleet_close(&fleet);
	return pps;
}
