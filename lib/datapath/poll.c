/* SPDX-License-Identifier: BSD-3-Clause */
/* The poll loop: receive a burst from each rx queue of the lcore, and run it through the stages. */
#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/classify_rules.h"
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
	uint8_t *backoff = &worker->learn_backoff[burst->port];
	bool live = !worker->trace_only, learn = live && *backoff == 0;
	unsigned missed;

	if (likely(rules == NULL)) {
		missed = classify_burst(worker->fdb, burst, learn);
	} else {
		if (rules->meter != NULL && live)
			police_burst(worker, snapshot, rules);
		missed = classify_rules_burst(worker->fdb, snapshot, burst, live, learn);
		if (snapshot->groups != NULL)
			multicast_burst(worker, snapshot);
	}
	/*
	 * Learn back-off: a source that cannot be learnt costs much. Skipping a burst for every two
	 * of them bounds them to two per burst on average.
	 */
	if (unlikely(*backoff > 0))
		--*backoff;
	else
		*backoff = (uint8_t)(missed / 2);
}

void
poll_forward(struct worker *worker, const struct snapshot *snapshot, const struct taps *taps)
{
	if (likely(taps == NULL))
		forward_burst(worker, snapshot);
	else
		taps_burst(worker, snapshot, taps);
}

/** Receive and forward a burst. @return frames received */
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
	poll_forward(worker, snapshot, poll->taps);
	if (poll->rx_done != NULL)
		poll->rx_done(poll->dev, poll->queue);
	return received;
}

/** End a round: drain the shapers, and let the drivers do the work that they deferred. */
static void
poll_end(struct worker *worker, const struct snapshot *snapshot, uint64_t since, bool worked)
{
	bool left = false;

	if (unlikely(snapshot->lcore[worker->lcore_id].n_shaped > 0))
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
 * Poll all active queues. Inlined by force with a constant `quotas`.
 *
 * @param begin TSC from which time is accounted to the first poll; updated to the end of the last
 * @param quotas whether the lcore has ports with an rx quota
 * @return frames received
 */
static __rte_always_inline unsigned
poll_queues(struct worker *worker, const struct snapshot *snapshot, uint64_t *begin, bool quotas)
{
	uint64_t since = *begin;
	const struct snapshot_lcore *lcore = &snapshot->lcore[worker->lcore_id];
	struct poll_list *list = &worker->poll_list;
	unsigned received = 0;
	uint32_t index = 0;

	while (index < list->n_active) {
		uint16_t number = list->active[index];
		const struct snapshot_poll *poll = &lcore->poll[number];
		if (quotas && poll->quota != 0 &&
			!rx_quota_allows(&worker->rx_quota, poll->quota, number)) {
			index++;
			continue;
		}
		unsigned n = poll_queue(worker, snapshot, poll);
		uint64_t now = rte_rdtsc();

		if (n > 0) {
			struct datapath_load *queue = &worker->queue[poll->slot];
			queue->packets += n;
			queue->busy_cycles += now - since;
			worker->load.busy_cycles += now - since;
			poll_stats_burst(&worker->poll_stats, n);
			if (quotas && poll->quota != 0)
				rx_quota_use(&worker->rx_quota, poll->quota, number);
			poll_list_found(list, index++);
		} else {
			worker->load.idle_cycles += now - since;
			index += poll_list_empty(list, lcore, index);
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
	const struct snapshot_lcore *lcore = &snapshot->lcore[worker->lcore_id];
	uint64_t since = rte_rdtsc();
	unsigned received;

	poll_stats_round(&worker->poll_stats, since);
	poll_list_update(&worker->poll_list, snapshot, lcore,
		atomic_load_explicit(worker->wake_seq, memory_order_relaxed), since);
	if (likely(lcore->n_quotas == 0)) {
		received = poll_queues(worker, snapshot, &since, false);
	} else {
		rx_quota_begin(&worker->rx_quota, lcore->n_quotas);
		received = poll_queues(worker, snapshot, &since, true);
	}
	poll_end(worker, snapshot, since, received > 0);
	worker->load.packets += received;
	return received;
}
