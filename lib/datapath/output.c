/* SPDX-License-Identifier: BSD-3-Clause */
/* The output stage: VLAN rewrite and taps of the tx port. Ports with neither skip it. */
#include "datapath/worker.h"

/** Arguments of the output stage for one tx port. */
struct output {
	struct worker *worker;
	const struct snapshot *snapshot;
	const struct snapshot_target *target;
	uint16_t port;
	bool mirrored; /**< mirrored copies: no VLAN rewrite */
};

static void
output_send(const struct output *output, struct frame *const frames[], uint16_t n)
{
	const struct snapshot_target *target = output->target;

	if (n == 0)
		return;
	if (target->egress->taps != NULL)
		taps_tx(output->worker, output->snapshot, output->port, frames, n,
			output->mirrored);
	else
		port_tx(output->worker, target, frames, n, &output->worker->counters[output->port]);
}

void
output_drop(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	const struct snapshot_egress *egress = snapshot->target[port].egress;

	if (egress != NULL && egress->taps != NULL)
		taps_dropped(worker, egress->taps, false, reason, frames, n);
	worker->counters[port].tx_drops[reason] += n;
	frame_free(frames, n);
}

static void
output_rewritten(const struct output *output, struct frame *const frames[], uint16_t n)
{
	const struct vlan_rules *rules = &output->target->egress->rewrites->vlan;
	struct vlan_rewrite *rewrite = &output->worker->rewrite;
	struct frame *out[FRAME_BURST];
	uint16_t ready = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct frame *frame = frames[i];
		if (!vlan_rewrite_is_needless(rules, frame)) {
			frame = vlan_rewrite_frame(rewrite, rules, frames[i]);
			if (frame == NULL && ready > 0) {
				output_send(output, out, ready);
				vlan_rewrite_done(rewrite);
				ready = 0;
				frame = vlan_rewrite_frame(rewrite, rules, frames[i]);
			}
		}
		if (frame != NULL)
			out[ready++] = frame;
		else /* It has more segments than any driver takes. */
			output_drop(output->worker, output->snapshot, output->port, DROP_NO_MEMORY,
				&frames[i], 1);
	}
	output_send(output, out, ready);
	vlan_rewrite_done(rewrite);
}

void
output_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored)
{
	const struct output output = {worker, snapshot, &snapshot->target[port], port, mirrored};

	if (mirrored || output.target->egress->rewrites == NULL)
		output_send(&output, frames, n);
	else
		output_rewritten(&output, frames, n);
}
