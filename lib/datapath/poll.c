/* SPDX-License-Identifier: BSD-3-Clause */
/* The poll stage: ask every queue of the lane for a burst, and see it through. */
#include <rte_cycles.h>

#include "datapath/classify.h"
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

unsigned
poll_round(struct worker *worker, const struct snapshot *snapshot)
{
	const struct snapshot_lane *lane = &snapshot->lane[worker->lane];
	struct burst *burst = &worker->burst;
	uint64_t since = rte_rdtsc();
	unsigned received = 0;

	for (uint32_t i = 0; i < lane->polls; i++) {
		const struct snapshot_poll *poll = &lane->poll[i];

		burst->port = poll->port;
		burst->n = poll->rx(poll->dev, poll->queue, burst->frame, FRAME_BURST,
			&worker->counters[poll->port]);
		if (burst->n > 0) {
			poll_count_rx(worker, burst);
			classify_burst(worker->fdb, burst);
			forward_burst(worker, snapshot);
			if (poll->rx_done != NULL)
				poll->rx_done(poll->dev, poll->queue);
		}
		uint64_t now = rte_rdtsc();
		struct datapath_load *queue = &worker->queue[poll->slot];
		if (burst->n > 0) {
			queue->packets += burst->n;
			queue->busy_cycles += now - since;
			worker->load.busy_cycles += now - since;
		} else {
			worker->load.idle_cycles += now - since;
		}
		received += burst->n;
		since = now;
	}
	worker->load.packets += received;
	return received;
}
