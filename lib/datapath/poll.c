/* SPDX-License-Identifier: BSD-3-Clause */
/* The poll loop: receive a burst from each rx queue of the lcore, and run it through the stages. */
#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/forward.h"
#include "datapath/ingress.h"
#include "datapath/worker.h"

/** Count the frames received, and set burst->longest. */
static void
poll_count_rx(struct burst_context *context)
{
	struct burst *burst = &context->burst;
	struct counters *counters = &context->counters[burst->port];

	counters->rx_packets += burst->n;
	counters->rx_bytes += burst_measure(burst);
}

/** Receive a burst from an rx queue and forward it. @return frames received */
static unsigned
poll_queue(struct burst_context *context, const struct snapshot_poll *poll)
{
	struct burst *burst = &context->burst;

	burst->port = poll->port;
	burst->n = poll->rx(poll->dev, context->lcore_id, poll->queue, burst->frame, FRAME_BURST,
		&context->counters[poll->port]);
	if (burst->n == 0)
		return 0;
	poll_count_rx(context);
	if (likely(poll->ingress == NULL)) {
		classify_plain_stage(context, NULL);
		forward_burst(context);
	} else {
		ingress_run(context, poll->ingress);
		forward_burst(context);
		ingress_done(context, poll->ingress);
	}
	if (poll->rx_done != NULL)
		poll->rx_done(poll->dev, context->lcore_id, poll->queue);
	return burst->n;
}

/** Run the drains of the lcore, see struct feature_drain. @return whether any sent frames */
static bool
poll_drain(struct burst_context *context, const struct snapshot_lcore *lcore)
{
	bool sent = false;

	for (uint16_t i = 0; i < lcore->n_drains; i++)
		sent |= lcore->drain[i].run(context, lcore->drain[i].state);
	return sent;
}

/** End a round: run the drains, and call round_done() of the drivers. Accounts the time of both. */
static void
poll_end(struct worker *worker, const struct snapshot *snapshot, uint64_t since, bool worked)
{
	uint16_t lcore_id = worker->context.lcore_id;
	const struct snapshot_lcore *lcore = &snapshot->lcore[lcore_id];
	bool deferred = false;

	if (unlikely(lcore->n_drains > 0))
		worked |= poll_drain(&worker->context, lcore);
	for (unsigned i = 0; worker->drivers[i] != NULL; i++)
		if (worker->drivers[i]->round_done != NULL)
			deferred |= !worker->drivers[i]->round_done(lcore_id, since, worked);
	worker->deferred = deferred;
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
	const struct snapshot_lcore *lcore = &snapshot->lcore[worker->context.lcore_id];
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
		unsigned n = poll_queue(&worker->context, poll);
		uint64_t now = rte_rdtsc();

		if (n > 0) {
			struct datapath_load *queue = &worker->queue[poll->slot];
			queue->packets += n;
			queue->busy_cycles += now - since;
			worker->load.busy_cycles += now - since;
			poll_stats_burst(&worker->poll_stats, n);
			if (quotas && poll->quota != 0)
				rx_quota_use(&worker->rx_quota, poll->quota, number);
			poll_list_polled_frames(list, index++);
		} else {
			worker->load.idle_cycles += now - since;
			index += poll_list_polled_empty(list, lcore, index);
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
	const struct snapshot_lcore *lcore = &snapshot->lcore[worker->context.lcore_id];
	uint64_t since = rte_rdtsc();
	unsigned received;

	worker->context.snapshot = snapshot;
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
