/* SPDX-License-Identifier: BSD-3-Clause */
/* Mirror: copies of the frames of a port leave by another port as well. */
#include <stdlib.h>

#include "datapath/feature_table.h"

struct mirror {
	uint16_t to; /**< the port that sends the copies */
};

/** Append copies, which count as copies of the port that is mirrored. */
static void
mirror_frames(struct burst_context *context, uint16_t port, const struct mirror *mirror,
	struct frame *const frames[], uint16_t n)
{
	context->counters[port].rx_copies += n;
	output_copy(context, mirror->to, frames, n);
}

static void
mirror_rx(struct burst_context *context, const void *state)
{
	struct burst *burst = &context->burst;
	struct frame *frames[FRAME_BURST];
	uint16_t n = 0;

	/* A frame without a complete Ethernet header must not reach a driver. */
	for (uint16_t i = 0; i < burst->n; i++)
		if (burst->frame[i].head_len >= FRAME_ETH_LEN &&
			burst->dest[i] != DEST_DROP + DROP_RATE)
			frames[n++] = &burst->frame[i];
	mirror_frames(context, burst->port, state, frames, n);
}

static void
mirror_tx(struct output *output, const void *state)
{
	mirror_frames(output->context, output->port, state, output->frame, output->n);
}

int
mirror_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct port *port = input->port;

	if (port->config.mirror[0] == '\0' || port->mirror >= PORT_MAX)
		return 0;
	struct mirror *mirror = malloc(sizeof(*mirror));
	if (mirror == NULL)
		return -ENOMEM;
	mirror->to = port->mirror;
	stages->state = mirror;
	if (port->config.mirror_direction != PORT_MIRROR_TX)
		stages->ingress.run = mirror_rx;
	if (port->config.mirror_direction != PORT_MIRROR_RX)
		stages->egress.run = mirror_tx;
	return 0;
}
