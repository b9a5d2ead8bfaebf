/* SPDX-License-Identifier: BSD-3-Clause */
/* The police stage: drop frames beyond the rate of the rx port, before their sources are learnt. */
#include <rte_cycles.h>

#include "datapath/worker.h"

void
police_burst(struct worker *worker, const struct snapshot *snapshot, const struct rules *rules)
{
	const struct taps *taps = snapshot->taps[worker->burst.port];
	struct burst *burst = &worker->burst;
	struct meter *meter = rules->meter;
	uint16_t kept = 0;

	bool shared = meter_enter(meter);
	bucket_fill(&meter->bucket, &rules->rate_in, rte_rdtsc());
	for (uint16_t i = 0; i < burst->n; i++) {
		if (!bucket_take(&meter->bucket, burst->frame[i].len)) {
			struct frame *frame = &burst->frame[i];
			if (taps != NULL)
				taps_dropped(worker, taps, true, DROP_RATE, &frame, 1);
			rte_pktmbuf_free(frame->mbuf);
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
