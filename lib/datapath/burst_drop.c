/* SPDX-License-Identifier: BSD-3-Clause */
/* Drop of frames at their rx port. */
#include "datapath/forward.h"

void
burst_drop(struct burst_context *context, enum drop_reason reason, struct frame *const frames[],
	uint16_t n)
{
	struct burst *burst = &context->burst;

	context->counters[burst->port].rx_drops[reason] += n;
	/* For ingress stages, once all is forwarded: a flooded frame has its flood destination here. */
	for (uint16_t i = 0; i < n; i++)
		burst->dest[frames[i] - burst->frame] = (uint16_t)(DEST_DROP + reason);
	frame_free(frames, n);
}
