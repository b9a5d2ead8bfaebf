/* SPDX-License-Identifier: BSD-3-Clause */
/* Where frames end that have no destination. */
#include "datapath/worker.h"

void
rx_drop(struct worker *worker, enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	worker->counters[worker->burst.port].rx_drops[reason] += n;
	frame_free(frames, n);
}
