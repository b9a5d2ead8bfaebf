/* SPDX-License-Identifier: BSD-3-Clause */
/* The poll stage: ask every queue of the lane for a burst, and see it through. */
#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/ingress.h"
#include "datapath/worker.h"

static void
poll_count_rx(struct worker *worker, const struct burst *burst)
{
	struct counters *counters = &worker->counters[burst->port];
	uint64_t bytes = 0;

	for (unsigned i = 0; i < burst->n; i++)
		bytes += burst->frame[i].len;
	counters->rx_packets += burst->n;
	counters->rx_bytes += bytes;
}

void
poll_classify(struct worker *worker, const struct snapshot *snapshot)
{
	struct burst *burst = &worker->burst;
	uint8_t *rest = &worker->rest[burst->port];
	bool live = !worker->dry, learn = live && *rest == 0;
	unsigned missed;

	if (likely(snapshot->rules[burst->port] == NULL))
		missed = classify_burst(worker->fdb, burst, learn);
	else
		missed = ingress_burst(worker->fdb, snapshot, burst, live, learn);
	/* Sources that are not learnt cost much for nothing: two of them a burst, on average. */
	if (unlikely(*rest > 0))
		--*rest;
	else
		*rest = (uint8_t)(missed / 2);
}

/** @return frames received, by now forwarded */
static unsigned
poll_queue(struct worker *worker, const struct snapshot *snapshot, const struct snapshot_poll *poll)
{
	struct burst *burst = &worker->burst;

	burst->port = poll->port;
	burst->n = poll->rx(
		poll->dev, poll->queue, burst->frame, FRAME_BURST, &worker->counters[poll->port]);
	if (burst->n == 0)
		return 0;
	poll_count_rx(worker, burst);
	poll_classify(worker, snapshot);
	forward_burst(worker, snapshot);
	if (poll->rx_done != NULL)
		poll->rx_done(poll->dev, poll->queue);
	return burst->n;
}

unsigned
poll_round(struct worker *worker, const struct snapshot *snapshot)
{
	const struct snapshot_lane *lane = &snapshot->lane[worker->lane];
	struct watch *watch = &worker->watch;
	uint64_t since = rte_rdtsc();
	unsigned received = 0;
	uint32_t place = 0;

	rounds_begin(&worker->rounds, since);
	watch_update(watch, snapshot, lane, atomic_load_explicit(worker->era, memory_order_relaxed),
		since);
	while (place < watch->n_hot) {
		const struct snapshot_poll *poll = &lane->poll[watch->hot[place]];
		unsigned n = poll_queue(worker, snapshot, poll);
		uint64_t now = rte_rdtsc();

		if (n > 0) {
			struct datapath_load *queue = &worker->queue[poll->slot];
			queue->packets += n;
			queue->busy_cycles += now - since;
			worker->load.busy_cycles += now - since;
			rounds_found(&worker->rounds, n);
			watch_found_frames(watch, place++);
		} else {
			worker->load.idle_cycles += now - since;
			place += watch_found_nothing(watch, lane, place);
		}
		received += n;
		since = now;
	}
	worker->load.packets += received;
	return received;
}
