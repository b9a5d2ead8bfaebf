/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The egress stage: frames get the tags that they leave with, and are seen by those who look at the
 * port. Ports without such rules and observers skip it.
 */
#include "datapath/worker.h"

/** Frames on their way out by one port. */
struct egress {
	struct worker *worker;
	const struct snapshot *snapshot;
	const struct snapshot_target *target;
	uint16_t port;
	bool mirrored; /**< copies, which leave as they are */
};

static void
egress_send(const struct egress *egress, struct frame *const frames[], uint16_t n)
{
	const struct snapshot_target *target = egress->target;

	if (n == 0)
		return;
	if (target->egress->observers != NULL)
		observe_tx(egress->worker, egress->snapshot, egress->port, frames, n,
			egress->mirrored);
	else
		tx_driver(
			egress->worker, target, frames, n, &egress->worker->counters[egress->port]);
}

void
egress_drop(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	const struct snapshot_egress *egress = snapshot->target[port].egress;

	if (egress != NULL && egress->observers != NULL)
		observe_dropped(worker, egress->observers, false, reason, frames, n);
	worker->counters[port].tx_drops[reason] += n;
	frame_free(frames, n);
}

static void
egress_retagged(const struct egress *egress, struct frame *const frames[], uint16_t n)
{
	const struct vlan_rules *rules = &egress->target->egress->retags->vlan;
	struct retag_room *room = &egress->worker->room;
	struct frame *out[FRAME_BURST];
	uint16_t ready = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct frame *frame = frames[i];
		if (!retag_is_needless(rules, frame)) {
			frame = retag_frame(room, rules, frames[i]);
			if (frame == NULL && ready > 0) {
				egress_send(egress, out, ready);
				retag_done(room);
				ready = 0;
				frame = retag_frame(room, rules, frames[i]);
			}
		}
		if (frame != NULL)
			out[ready++] = frame;
		else /* In more pieces than any driver takes. */
			egress_drop(egress->worker, egress->snapshot, egress->port, DROP_NO_MEMORY,
				&frames[i], 1);
	}
	egress_send(egress, out, ready);
	retag_done(room);
}

void
egress_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored)
{
	const struct egress egress = {worker, snapshot, &snapshot->target[port], port, mirrored};

	if (mirrored || egress.target->egress->retags == NULL)
		egress_send(&egress, frames, n);
	else
		egress_retagged(&egress, frames, n);
}
