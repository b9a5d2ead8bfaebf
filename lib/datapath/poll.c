/* SPDX-License-Identifier: BSD-3-Clause */
/* The poll stage: ask every queue of the lane for a burst, and see it through. */
#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/ingress.h"
#include "datapath/worker.h"

static void
poll_count_rx(struct worker *worker, struct burst *burst)
{
	struct counters *counters = &worker->counters[burst->port];

	counters->rx_packets += burst->n;
	counters->rx_bytes += burst_measure(burst);
}

void
poll_classify(struct worker *worker, const struct snapshot *snapshot)
{
	struct burst *burst = &worker->burst;
	const struct rules *rules = snapshot->rules[burst->port];
	uint8_t *rest = &worker->rest[burst->port];
	bool live = !worker->dry, learn = live && *rest == 0;
	unsigned missed;

	if (likely(rules == NULL)) {
		missed = classify_burst(worker->fdb, burst, learn);
	} else {
		if (rules->meter != NULL && live)
			admit_burst(worker, snapshot, rules);
		missed = ingress_burst(worker->fdb, snapshot, burst, live, learn);
		if (snapshot->groups != NULL)
			multicast_burst(worker, snapshot);
	}
	/* Sources that are not learnt cost much for nothing: two of them a burst, on average. */
	if (unlikely(*rest > 0))
		--*rest;
	else
		*rest = (uint8_t)(missed / 2);
}

void
poll_forward(
	struct worker *worker, const struct snapshot *snapshot, const struct observers *observers)
{
	if (likely(observers == NULL))
		forward_burst(worker, snapshot);
	else
		observe_burst(worker, snapshot, observers);
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
	uint16_t received = burst->n;
	poll_classify(worker, snapshot);
	poll_forward(worker, snapshot, poll->observers);
	if (poll->rx_done != NULL)
		poll->rx_done(poll->dev, poll->queue);
	return received;
}

/** Send what waited for its time, and do what was left for later. */
static void
poll_end(struct worker *worker, const struct snapshot *snapshot, uint64_t since, bool worked)
{
	bool left = false;

	if (unlikely(snapshot->lane[worker->lane].n_shaped > 0))
		worked |= shape_drain(worker, snapshot);
	for (unsigned i = 0; worker->drivers[i] != NULL; i++)
		if (worker->drivers[i]->round_done != NULL)
			left |= !worker->drivers[i]->round_done(since, worked);
	worker->left = left;
	if (worked)
		worker->load.busy_cycles += rte_rdtsc() - since;
	else
		worker->load.idle_cycles += rte_rdtsc() - since;
}

/**
 * Ask all queues, those of a crowd in turn. Made for lanes with crowds, and for those without.
 *
 * @param begin TSC when the time that is spent here begins; updated to its end
 * @return frames received
 */
static __rte_always_inline unsigned
poll_queues(struct worker *worker, const struct snapshot *snapshot, uint64_t *begin, bool crowds)
{
	uint64_t since = *begin;
	const struct snapshot_lane *lane = &snapshot->lane[worker->lane];
	struct watch *watch = &worker->watch;
	unsigned received = 0;
	uint32_t place = 0;

	while (place < watch->n_hot) {
		uint16_t number = watch->hot[place];
		const struct snapshot_poll *poll = &lane->poll[number];
		if (crowds && poll->crowd != 0 &&
			!turns_is_due(&worker->turns, poll->crowd, number)) {
			place++;
			continue;
		}
		unsigned n = poll_queue(worker, snapshot, poll);
		uint64_t now = rte_rdtsc();

		if (n > 0) {
			struct datapath_load *queue = &worker->queue[poll->slot];
			queue->packets += n;
			queue->busy_cycles += now - since;
			worker->load.busy_cycles += now - since;
			rounds_found(&worker->rounds, n);
			if (crowds && poll->crowd != 0)
				turns_took(&worker->turns, poll->crowd, number);
			watch_found_frames(watch, place++);
		} else {
			worker->load.idle_cycles += now - since;
			place += watch_found_nothing(watch, lane, place);
		}
		received += n;
		since = now;
	}
	*begin = since;
	return received;
}

unsigned
poll_round(struct worker *worker, const struct snapshot *snapshot)
{
	const struct snapshot_lane *lane = &snapshot->lane[worker->lane];
	uint64_t since = rte_rdtsc();
	unsigned received;

	rounds_begin(&worker->rounds, since);
	watch_update(&worker->watch, snapshot, lane,
		atomic_load_explicit(worker->era, memory_order_relaxed), since);
	if (likely(lane->n_crowds == 0)) {
		received = poll_queues(worker, snapshot, &since, false);
	} else {
		turns_begin(&worker->turns, lane->n_crowds);
		received = poll_queues(worker, snapshot, &since, true);
	}
	poll_end(worker, snapshot, since, received > 0);
	worker->load.packets += received;
	return received;
}
