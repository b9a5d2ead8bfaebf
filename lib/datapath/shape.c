/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape stage: frames for a port with a rate leave at that rate. Other ports skip it. */
#include <rte_cycles.h>

#include "datapath/worker.h"

static struct shaper_out
shape_out(const struct worker *worker, const struct snapshot_target *target)
{
	return (struct shaper_out){.tx = target->tx,
		.dev = target->dev,
		.lane = worker->lane,
		.owner = target->owner == worker->lane};
}

void
shape_frames(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	const struct shaper_out out = shape_out(worker, target);

	shaper_frames(target->shaper, &target->rate_out, &out, frames, n, counters, rte_rdtsc());
}

bool
shape_drain(struct worker *worker, const struct snapshot *snapshot)
{
	const struct snapshot_lane *lane = &snapshot->lane[worker->lane];
	bool sent = false;

	for (uint16_t i = 0; i < lane->n_shaped; i++) {
		const struct snapshot_target *target = &snapshot->target[lane->shaped[i]];
		const struct shaper_out out = shape_out(worker, target);
		sent |= shaper_drain(target->shaper, &target->rate_out, &out,
			&worker->counters[lane->shaped[i]], rte_rdtsc());
	}
	return sent;
}
