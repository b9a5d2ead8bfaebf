/* SPDX-License-Identifier: BSD-3-Clause */
/* Mirror: sends copies of the frames of a port by another port. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/feature.h"
#include "features/mirror/keys.h"

struct mirror {
	uint16_t to; /**< the port that sends the copies */
};

/** Append copies of frames for the mirror port. They count in rx_copies of the mirrored port. */
static void
mirror_frames(struct burst_context *context, uint16_t port, const struct mirror *mirror,
	struct frame *const frames[], uint16_t n)
{
	context->counters[port].rx_copies += n;
	output_copy(context, mirror->to, frames, n);
}

/** Mirror received frames, dropped ones included, but not those beyond rate-in. */
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

/** Mirror frames that the port sends. */
static void
mirror_tx(struct output *output, const void *state)
{
	mirror_frames(output->context, output->port, state, output->frame, output->n);
}

/** Check that the mirror port exists, and is neither the port itself nor mirrored. */
static int
mirror_relate(const struct port_config *const configs[], unsigned n, unsigned i, struct err *err)
{
	const char *to = mirror_config(configs[i])->mirror;

	if (to[0] == '\0')
		return 0;
	if (strcmp(to, configs[i]->name) == 0)
		return err_set(err, EINVAL, "mirror: a port cannot be its own");
	const struct port_config *mirror = feature_find_config(configs, n, to);
	if (mirror == NULL)
		return err_set(err, ENOENT, "mirror: no port '%s'", to);
	if (mirror_config(mirror)->mirror[0] != '\0')
		return err_set(err, EINVAL, "mirror: a loop: %s is itself mirrored, to %s",
			mirror->name, mirror_config(mirror)->mirror);
	return 0;
}

static int
mirror_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct mirror_config *config = mirror_config(&input->port->config);
	uint16_t to = feature_port_id(input->ports, config->mirror);

	if (to >= PORT_MAX)
		return 0;
	struct mirror *mirror = malloc(sizeof(*mirror));
	if (mirror == NULL)
		return -ENOMEM;
	mirror->to = to;
	stages->state = mirror;
	if (config->direction != MIRROR_TX)
		stages->ingress[INGRESS_FRAMES].run = mirror_rx;
	if (config->direction != MIRROR_RX)
		stages->egress.run = mirror_tx;
	return 0;
}

const struct feature mirror_feature = {
	.name = "mirror",
	.relate = mirror_relate,
	.compile = mirror_compile,
};
