/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture: records the frames of a port, with the reason of those that are dropped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "features/capture/captures.h"

/** The captures of a port, by direction. */
struct capture_stages {
	unsigned n_rx, n_tx;
	struct capture *rx[CAPTURES_MAX];
	struct capture *tx[CAPTURES_MAX];
};

/** Record the frames of the burst. capture_rx_done() publishes the records. */
static void
capture_rx(struct burst_context *context, const void *state)
{
	const struct capture_stages *stages = state;
	const struct burst *burst = &context->burst;
	const struct capture_record record = {
		.tsc = rte_rdtsc(), .direction = CAPTURE_RX, .reason = CAPTURE_KEPT};

	for (unsigned c = 0; c < stages->n_rx && !context->trace_only; c++) {
		struct capture *capture = stages->rx[c];
		struct capture_record **records =
			capture_pending(capture, context->lcore_id, CAPTURE_RX);

		if (records == NULL)
			continue;
		capture_defer(capture, context->lcore_id, true);
		for (uint16_t i = 0; i < burst->n; i++)
			records[i] =
				capture_frame(capture, context->lcore_id, &burst->frame[i], record);
	}
}

/** Set the reason of frames that were dropped at rx, and publish the records. */
static void
capture_rx_done(struct burst_context *context, const void *state)
{
	const struct capture_stages *stages = state;
	const struct burst *burst = &context->burst;

	for (unsigned c = 0; c < stages->n_rx && !context->trace_only; c++) {
		struct capture_record **records =
			capture_pending(stages->rx[c], context->lcore_id, CAPTURE_RX);

		if (records == NULL)
			continue;
		for (uint16_t i = 0; i < burst->n; i++)
			if (records[i] != NULL && burst->dest[i] >= DEST_DROP &&
				burst->dest[i] < DEST_FORWARD)
				records[i]->reason = burst->dest[i] - DEST_DROP;
		capture_defer(stages->rx[c], context->lcore_id, false);
	}
}

/** Record the frames of the output. capture_tx_done() publishes the records. */
static void
capture_tx(struct output *output, const void *state)
{
	const struct capture_stages *stages = state;
	uint16_t lcore_id = output->context->lcore_id;
	const struct capture_record record = {
		.tsc = rte_rdtsc(), .direction = CAPTURE_TX, .reason = CAPTURE_KEPT};

	for (unsigned c = 0; c < stages->n_tx && !output->context->trace_only; c++) {
		struct capture_record **records =
			capture_pending(stages->tx[c], lcore_id, CAPTURE_TX);

		if (records == NULL)
			continue;
		for (uint16_t i = 0; i < output->n; i++)
			records[i] =
				capture_frame(stages->tx[c], lcore_id, output->frame[i], record);
	}
}

/** Set the reason of frames that the driver dropped, record those that stages dropped, publish. */
static void
capture_tx_done(struct output *output, const void *state)
{
	const struct capture_stages *stages = state;
	uint16_t lcore_id = output->context->lcore_id;
	struct capture_record record = {.tsc = rte_rdtsc(), .direction = CAPTURE_TX};

	for (unsigned c = 0; c < stages->n_tx && !output->context->trace_only; c++) {
		struct capture *capture = stages->tx[c];
		struct capture_record **records = capture_pending(capture, lcore_id, CAPTURE_TX);

		if (records == NULL)
			continue;
		for (uint16_t i = 0; i < output->n; i++)
			if (records[i] != NULL && output->frame[i]->tx_drop != FRAME_SENT)
				records[i]->reason = output->frame[i]->tx_drop;
		for (uint16_t i = 0; i < output->n_dropped; i++) {
			record.reason = output->dropped[i]->tx_drop;
			capture_frame(capture, lcore_id, output->dropped[i], record);
		}
		capture_publish(capture, lcore_id);
	}
}

static int
capture_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct captures *captures = input->state;

	if (captures == NULL)
		return 0;
	struct capture_stages *active = calloc(1, sizeof(*active));
	if (active == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < captures->n; i++) {
		struct capture *capture = captures->entry[i].capture;
		if (capture_wants(capture, CAPTURE_RX))
			active->rx[active->n_rx++] = capture;
		if (capture_wants(capture, CAPTURE_TX))
			active->tx[active->n_tx++] = capture;
	}
	stages->state = active;
	stages->copies = true;
	if (active->n_rx > 0)
		stages->ingress[INGRESS_FRAMES] =
			(struct ingress_stage){capture_rx, capture_rx_done, NULL};
	if (active->n_tx > 0)
		stages->egress = (struct egress_stage){capture_tx, capture_tx_done, NULL};
	return 0;
}

/** End the captures of a port that is deleted. */
static void
capture_close(const struct port *port, void *state)
{
	struct captures *captures = state;
	char reason[PORT_NAME_MAX + 32];

	snprintf(reason, sizeof(reason), "port %s is deleted", port->config.name);
	for (unsigned i = 0; i < captures->n; i++) {
		captures->entry[i].ended(captures->entry[i].owner, reason);
		capture_destroy(captures->entry[i].capture);
	}
	free(captures);
}

const struct feature capture_feature = {
	.name = "capture",
	.compile = capture_compile,
	.close = capture_close,
};
