/* SPDX-License-Identifier: BSD-3-Clause */
/* Output: runs the egress stages of a tx port, sends copies, and calls the driver. */
#include "datapath/output.h"

#include "datapath/snapshot.h"
#include "frame/layers.h"

/** Whether a frame is at most max_len bytes long, up to two VLAN tags not counted. */
static bool
output_fits(const struct frame *frame, uint32_t max_len)
{
	unsigned by_device = frame->offload.flags == FRAME_TAG;
	unsigned tags = layers_tags(frame->head, frame->head_len) + by_device;

	return frame_wire_len(frame) + by_device * FRAME_TAG_LEN <=
	       max_len + FRAME_TAG_LEN * RTE_MIN(tags, (unsigned)LAYERS_TAGS_MAX);
}

void
output_length_stage(struct output *output, const void *state)
{
	uint32_t max_len = output->context->snapshot->target[output->port].max_len;
	uint16_t kept = 0;

	(void)state;
	if (likely(output->context->burst.longest <= max_len))
		return;
	for (uint16_t i = 0; i < output->n; i++) {
		if (likely(output_fits(output->frame[i], max_len)))
			output->frame[kept++] = output->frame[i];
		else
			output_drop(output, DROP_TOO_LONG, output->frame[i]);
	}
	output->n = kept;
}

void
output_copy(struct burst_context *context, uint16_t port, struct frame *const frames[], uint16_t n)
{
	struct output_copies *copies = &context->copies[context->n_copies];

	if (n == 0)
		return;
	context->n_copies++;
	copies->port = port;
	copies->n = n;
	for (uint16_t i = 0; i < n; i++) {
		copies->frame[i] = frames[i];
		if (frames[i]->mbuf != NULL)
			rte_pktmbuf_refcnt_update(frames[i]->mbuf, 1);
	}
}

/** Begin an output with n frames, `exclusive` set, and run the egress stages on them. */
static void
output_begin(struct output *output, struct burst_context *context, uint16_t port,
	const struct egress_stage *stages, struct frame *const frames[], uint16_t n)
{
	output->context = context;
	output->port = port;
	output->n = output->taken = n;
	output->n_dropped = 0;
	for (uint16_t i = 0; i < n; i++)
		output->frame[i] = frames[i];
	if (unlikely(context->snapshot->target[port].tx == NULL)) {
		for (uint16_t i = 0; i < n; i++)
			output_drop(output, DROP_LINK_DOWN, frames[i]);
		output->n = 0;
	}
	for (; stages->run != NULL; stages++)
		stages->run(output, stages->state);
}

/** Pass the frames to the driver, call done() of the stages, and count and free dropped frames. */
static void
output_end(struct output *output, const struct egress_stage *stages)
{
	const struct burst_context *context = output->context;
	const struct snapshot_target *target = &context->snapshot->target[output->port];
	struct counters *counters = &output->context->counters[output->port];

	for (uint16_t i = 0; i < output->n; i++)
		output->frame[i]->tx_drop = FRAME_SENT;
	if (output->n > 0)
		target->tx(target->dev, context->lcore_id, output->frame, output->n, counters);
	for (; stages->run != NULL; stages++)
		if (stages->done != NULL)
			stages->done(output, stages->state);
	for (uint16_t i = 0; i < output->n_dropped; i++)
		counters->tx_drops[output->dropped[i]->tx_drop]++;
	frame_free(output->dropped, output->n_dropped);
}

void
output_send_copies(struct burst_context *context)
{
	for (unsigned i = 0; i < context->n_copies; i++) {
		struct output_copies *copies = &context->copies[i];
		const struct egress_stage *stages =
			context->snapshot->target[copies->port].copy_stages;
		struct output output;

		output.exclusive = false;
		output_begin(&output, context, copies->port, stages, copies->frame, copies->n);
		output_end(&output, stages);
	}
	context->n_copies = 0;
}

void
output_frames(struct burst_context *context, uint16_t port, struct frame *const frames[],
	uint16_t n, bool exclusive)
{
	const struct snapshot_target *target = &context->snapshot->target[port];

	if (likely(context->burst.longest < target->plain_limit)) {
		target->tx(target->dev, context->lcore_id, frames, n, &context->counters[port]);
		return;
	}
	for (uint16_t done = 0; done < n;) {
		struct output output;

		output.exclusive = exclusive;
		output_begin(&output, context, port, target->stages, frames + done, n - done);
		output_send_copies(context);
		output_end(&output, target->stages);
		done += output.taken;
	}
}
