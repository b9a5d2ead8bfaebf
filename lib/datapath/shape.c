/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape stage: frames for a port with a rate leave at that rate. Other ports skip it. */
#include <rte_cycles.h>

#include "datapath/worker.h"

static struct shaper_out
shape_out(const struct worker *worker, const struct snapshot_target *target)
{
	return (struct shaper_out){.tx = target->tx,
		.dev = target->dev,
		.lcore_id = worker->lcore_id,
		.owner = target->owner == worker->lcore_id};
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
	const struct snapshot_lcore *lcore = &snapshot->lcore[worker->lcore_id];
	bool sent = false;

	for (uint16_t i = 0; i < lcore->n_shaped; i++) {
		const struct snapshot_target *target = &snapshot->target[lcore->shaped[i]];
		const struct shaper_out out = shape_out(worker, target);
		sent |= shaper_drain(target->shaper, &target->rate_out, &out,
			&worker->counters[lcore->shaped[i]], rte_rdtsc());
	}
	return sent;
}
