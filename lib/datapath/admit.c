/* SPDX-License-Identifier: BSD-3-Clause */
/* The admit stage: what a port sends beyond its rate ends here, before anybody learns from it. */
#include <rte_cycles.h>

#include "datapath/worker.h"

void
admit_burst(struct worker *worker, const struct rules *rules)
{
	struct burst *burst = &worker->burst;
	struct meter *meter = rules->meter;
	uint16_t kept = 0;

	bool shared = meter_enter(meter);
	bucket_fill(&meter->bucket, &rules->rate_in, rte_rdtsc());
	for (uint16_t i = 0; i < burst->n; i++) {
		if (!bucket_take(&meter->bucket, burst->frame[i].len)) {
			rte_pktmbuf_free(burst->frame[i].mbuf);
			continue;
		}
		if (kept != i)
			burst->frame[kept] = burst->frame[i];
		kept++;
	}
	meter_leave(meter, shared);
	worker->counters[burst->port].rx_drops[DROP_RATE] += burst->n - kept;
	burst->n = kept;
}
