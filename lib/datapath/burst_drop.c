/* SPDX-License-Identifier: BSD-3-Clause */
/* Drops frames at their rx port. */
#include "datapath/forward.h"

void
burst_drop(struct burst_context *context, enum drop_reason reason, struct frame *const frames[],
	uint16_t n)
{
	struct burst *burst = &context->burst;

	context->counters[burst->port].rx_drops[reason] += n;
	/* For done() of ingress stages. A flooded frame without a target still has a flood's value. */
	for (uint16_t i = 0; i < n; i++)
		burst->dest[frames[i] - burst->frame] = (uint16_t)(DEST_DROP + reason);
	frame_free(frames, n);
}
