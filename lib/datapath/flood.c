/* SPDX-License-Identifier: BSD-3-Clause */
/* The flood stage, unfiltered: frames leave by every other port that is up, by reference. */
#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

void
flood_frames(struct burst_context *context, struct frame *const frames[], uint16_t n)
{
	const struct snapshot *snapshot = context->snapshot;
	uint16_t from = context->burst.port;
	struct counters *counters = &context->counters[from];
	/* The rx port is up and hence in the list, unless it has just gone down. */
	uint16_t copies = snapshot->floods - (snapshot->target[from].tx != NULL);

	if (copies == 0) {
		burst_drop(context, DROP_NO_TARGET, frames, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->mbuf != NULL)
			rte_pktmbuf_refcnt_update(frames[i]->mbuf, (int16_t)(copies - 1));
	counters->rx_forwarded += n;
	counters->rx_copies += (uint64_t)n * copies;
	for (uint16_t i = 0; i < snapshot->floods; i++)
		if (snapshot->flood[i] != from)
			output_frames(context, snapshot->flood[i], frames, n);
}
