/* SPDX-License-Identifier: BSD-3-Clause */
/* Storm control: drops flooded frames beyond the rate of their rx port. */
#include <errno.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>

#include "datapath/feature.h"
#include "features/storm/keys.h"
#include "features/storm/rate.h"

struct storm {
	_Atomic uint64_t *due; /**< the port's */
	struct storm_rate rate;
};

/** Drop the flooded frames beyond the rate, the last of the burst. */
static void
storm_stage(struct burst_context *context, const void *state)
{
	struct burst *burst = &context->burst;
	const struct storm *storm = state;
	uint8_t floods[FRAME_BURST];
	uint16_t n = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		floods[n] = (uint8_t)i;
		n += burst->dest[i] >= DEST_FLOODS;
	}
	if (n == 0 || context->trace_only)
		return;
	for (uint16_t i = storm_pass(storm->due, &storm->rate, rte_rdtsc(), n); i < n; i++)
		burst->dest[floods[i]] = DEST_DROP + DROP_STORM;
}

static int
storm_compile(const struct feature_input *input, struct feature_stages *stages)
{
	uint64_t pps = (uint64_t)storm_config(&input->port->config)->storm;

	/* While a port drains, its keys are the new ones and its state the old one. */
	if (input->state == NULL || pps == 0)
		return 0;
	struct storm *storm = malloc(sizeof(*storm));
	if (storm == NULL)
		return -ENOMEM;
	storm->due = input->state;
	storm_rate_set(&storm->rate, pps, rte_get_tsc_hz());
	stages->state = storm;
	stages->ingress[INGRESS_FRAMES].run = storm_stage;
	return 0;
}

/** Provide the word of the port in a cache line of its own, which a change of the rate keeps. */
static int
storm_open(const struct port *port, const struct port_config *config, void **state, struct err *err)
{
	bool wanted = storm_config(config)->storm != 0;
	_Atomic uint64_t *due = NULL;

	(void)port;
	if (wanted == (*state != NULL))
		return 0;
	if (wanted) {
		due = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_SIZE);
		if (due == NULL)
			return err_set(err, ENOMEM, "storm: no memory");
		atomic_init(due, 0);
	}
	*state = (void *)due;
	return 0;
}

static void
storm_close(const struct port *port, void *state)
{
	(void)port;
	free(state);
}

const struct feature storm_feature = {
	.name = "storm",
	.compile = storm_compile,
	.open = storm_open,
	.close = storm_close,
};
