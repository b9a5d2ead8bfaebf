/* SPDX-License-Identifier: BSD-3-Clause */
/* The tx stage: drop frames that do not fit the tx port, pass the others on. */
#include "datapath/worker.h"
#include "frame/layers.h"

/**
 * Whether a frame fits max_len. Up to two tags that it leaves with do not count.
 *
 * @param change bytes that VLAN rewrite will add, may be negative
 */
static bool
tx_fits(const struct frame *frame, uint32_t max_len, int change)
{
	int tags = (int)layers_tags(frame->head, frame->head_len) + change / FRAME_TAG_LEN;
	int64_t beside = FRAME_TAG_LEN * RTE_MIN(tags, LAYERS_TAGS_MAX);

	return frame_wire_len(frame) + (int64_t)change <= max_len + beside;
}

/** Collect the frames that fit; drop and count the others. @return number of frames in `fitting` */
static uint16_t
tx_drop_long(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, struct frame *fitting[], bool mirrored)
{
	const struct snapshot_target *target = &snapshot->target[port];
	const struct rules *rewrites =
		target->egress != NULL && !mirrored ? target->egress->rewrites : NULL;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < n; i++) {
		int change = rewrites != NULL ? vlan_rewrite_change(&rewrites->vlan, frames[i]) : 0;
		if (likely(tx_fits(frames[i], target->max_len, change)))
			fitting[kept++] = frames[i];
		else
			output_drop(worker, snapshot, port, DROP_TOO_LONG, &frames[i], 1);
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
		output_drop(worker, snapshot, port, DROP_LINK_DOWN, frames, n);
		return;
	}
	/* Exact check per frame: tags do not count, and TSO frames are cut into shorter ones. */
	if (unlikely(worker->burst.longest > target->max_len)) {
		n = tx_drop_long(worker, snapshot, port, frames, n, fitting, mirrored);
		frames = fitting;
	}
	if (unlikely(target->egress != NULL))
		output_frames(worker, snapshot, port, frames, n, mirrored);
	else if (n > 0)
		port_tx(worker, target, frames, n, &worker->counters[port]);
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
