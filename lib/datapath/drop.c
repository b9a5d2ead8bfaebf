/* SPDX-License-Identifier: BSD-3-Clause */
/* Drop of frames at their rx port. */
#include "datapath/worker.h"

void
rx_drop(struct worker *worker, enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	struct burst *burst = &worker->burst;

	worker->counters[burst->port].rx_drops[reason] += n;
	/* For taps_fates(): a flooded frame without a target has its flood destination here. */
	for (uint16_t i = 0; i < n; i++)
		burst->dest[frames[i] - burst->frame] = (uint16_t)(DEST_DROP + reason);
	frame_free(frames, n);
}
