/* SPDX-License-Identifier: BSD-3-Clause */
/* Shaping: a shaper in place of the driver's tx calls the driver at the rate of the port. */
#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "datapath/feature.h"
#include "features/shape/keys.h"
#include "rate/shaper.h"

enum { SHAPE_BURST_MS = 5, SHAPE_BURST_MIN = 16384 };

_Static_assert(2 * SHAPER_SPACE_MAX / (SHAPER_BURSTS * FRAME_BURST) <= FEATURE_DRAIN_ROUNDS,
	"twice the rounds that send the longest queue");

struct shape {
	struct shaper *shaper;
	struct bucket_rate rate;
	uint16_t owner; /**< lcore that drains the shaper; LCORE_MAX = none */
	uint16_t port;
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters); /**< the driver's */
	void *dev;
};

/** Describe the driver and the calling lcore for the shaper. */
static struct shaper_out
shape_out(const struct shape *shape, uint16_t lcore_id)
{
	return (struct shaper_out){.tx = shape->tx,
		.dev = shape->dev,
		.lcore_id = lcore_id,
		.owner = shape->owner == lcore_id};
}

/** The tx function of a shaped port. @param dev struct shape */
static void
shape_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	const struct shape *shape = dev;
	const struct shaper_out out = shape_out(shape, lcore_id);

	shaper_frames(shape->shaper, &shape->rate, &out, frames, n, counters, rte_rdtsc());
}

/** Send frames that wait in the shaper, on the lcore that owns it. */
static bool
shape_drain(struct burst_context *context, const void *state)
{
	const struct shape *shape = state;
	const struct shaper_out out = shape_out(shape, context->lcore_id);

	return shaper_drain(
		shape->shaper, &shape->rate, &out, &context->counters[shape->port], rte_rdtsc());
}

static int
shape_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct port *port = input->port;
	const struct shape_config *config = shape_config(&port->config);
	uint64_t bits = (uint64_t)config->rate_out, burst = (uint64_t)config->burst_out;

	if (input->state == NULL)
		return 0;
	struct shape *shape = malloc(sizeof(*shape));
	if (shape == NULL)
		return -ENOMEM;
	/* The port is about to lose the shaper: the frames that wait leave at once. */
	if (port->draining)
		bits = BUCKET_RATE_MAX;
	if (burst == 0 || port->draining)
		burst = bucket_burst_for(bits, SHAPE_BURST_MS, SHAPE_BURST_MIN);
	*shape = (struct shape){
		.shaper = input->state, .port = port->id, .tx = stages->tx, .dev = stages->dev};
	bucket_rate_set(&shape->rate, bits, burst, rte_get_tsc_hz());
	stages->state = shape;
	stages->tx = shape_tx;
	stages->dev = shape;
	stages->drain = (struct feature_drain){shape_drain, &shape->owner};
	return 0;
}

/** Provide the shaper, the present one if its queue is as long as wanted and on the port's node. */
static int
shape_open(const struct port *port, const struct port_config *config, void **state, struct err *err)
{
	const struct shape_config *wanted = shape_config(config);
	unsigned space = (unsigned)wanted->queue_out;
	struct shaper *shaper = NULL;

	if (wanted->rate_out != 0 && *state != NULL && shaper_space(*state) == space &&
		shaper_node(*state) == port->numa_node)
		return 0;
	if (wanted->rate_out != 0) {
		shaper = shaper_create(port->numa_node, space, &port->services->senders, err);
		if (shaper == NULL)
			return -ENOMEM;
	}
	*state = shaper;
	return 0;
}

static void
shape_close(const struct port *port, void *state)
{
	(void)port;
	shaper_destroy(state);
}

static unsigned
shape_backlog(const void *state)
{
	return shaper_backlog(state);
}

static unsigned
shape_purge(void *state)
{
	return shaper_purge(state);
}

const struct feature shape_feature = {
	.name = "shape",
	.compile = shape_compile,
	.open = shape_open,
	.close = shape_close,
	.backlog = shape_backlog,
	.purge = shape_purge,
};
