/* SPDX-License-Identifier: BSD-3-Clause */
/* Where frames end that have no destination. */
#include "datapath/worker.h"

void
rx_drop(struct worker *worker, enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	struct burst *burst = &worker->burst;

	worker->counters[burst->port].rx_drops[reason] += n;
	/* For observers: some were to go somewhere. */
	for (uint16_t i = 0; i < n; i++)
		burst->dest[frames[i] - burst->frame] = (uint16_t)(DEST_DROP + reason);
	frame_free(frames, n);
}
