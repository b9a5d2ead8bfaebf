/* SPDX-License-Identifier: BSD-3-Clause */
/* The tx stage: hand frames to the driver of the port they leave by. */
#include "datapath/worker.h"

static bool
tx_fits(const struct frame *frame, uint32_t max_len)
{
	return frame_wire_len(frame) <= max_len + frame->l2_len - FRAME_ETH_LEN;
}

/** Keep the frames that fit; drop and count the others. @return how many stay */
static uint16_t
tx_drop_long(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, struct frame *fitting[])
{
	uint32_t max_len = snapshot->target[port].max_len;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (likely(tx_fits(frames[i], max_len)))
			fitting[kept++] = frames[i];
		else
			egress_drop(worker, snapshot, port, DROP_TOO_LONG, &frames[i], 1);
	}
	return kept;
}

static inline void
tx_by(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored)
{
	const struct snapshot_target *target = &snapshot->target[port];
	struct frame *fitting[FRAME_BURST];

	if (unlikely(target->tx == NULL)) {
		egress_drop(worker, snapshot, port, DROP_LINK_DOWN, frames, n);
		return;
	}
	/* A tag may make a frame longer than that, segments make it shorter: looked at one by one. */
	if (unlikely(worker->burst.longest > target->max_len)) {
		n = tx_drop_long(worker, snapshot, port, frames, n, fitting);
		frames = fitting;
	}
	if (unlikely(target->egress != NULL))
		egress_frames(worker, snapshot, port, frames, n, mirrored);
	else if (n > 0)
		tx_driver(worker, target, frames, n, &worker->counters[port]);
}

void
tx_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n)
{
	tx_by(worker, snapshot, port, frames, n, false);
}

void
tx_mirrored(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n)
{
	tx_by(worker, snapshot, port, frames, n, true);
}
