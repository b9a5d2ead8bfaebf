/* SPDX-License-Identifier: BSD-3-Clause */
/* Policing: drops frames beyond the rate of the rx port, before their sources are learnt. */
#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "datapath/feature.h"
#include "features/police/keys.h"
#include "rate/meter.h"

enum { POLICE_BURST_MS = 20, POLICE_BURST_MIN = 65536 }; /* at least the largest TSO frame */

struct police {
	struct meter *meter;
	struct bucket_rate rate;
};

/** Drop the frames for which there are no tokens. */
static void
police_stage(struct burst_context *context, const void *state)
{
	const struct police *police = state;
	struct burst *burst = &context->burst;

	if (context->trace_only)
		return;
	bool shared = meter_enter(police->meter);
	bucket_fill(&police->meter->bucket, &police->rate, rte_rdtsc());
	for (uint16_t i = 0; i < burst->n; i++)
		if (!bucket_take(&police->meter->bucket, burst->frame[i].len))
			burst->dest[i] = DEST_DROP + DROP_RATE;
	meter_leave(police->meter, shared);
}

static int
police_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct police_config *config = police_config(&input->port->config);
	uint64_t bits = (uint64_t)config->rate_in, burst = (uint64_t)config->burst_in;

	/* While a port drains, its keys are the new ones and its state the old one. */
	if (input->state == NULL || bits == 0)
		return 0;
	struct police *police = malloc(sizeof(*police));
	if (police == NULL)
		return -ENOMEM;
	if (burst == 0)
		burst = bucket_burst_for(bits, POLICE_BURST_MS, POLICE_BURST_MIN);
	police->meter = input->state;
	bucket_rate_set(&police->rate, bits, burst, rte_get_tsc_hz());
	stages->state = police;
	stages->ingress[INGRESS_RECEIVED].run = police_stage;
	return 0;
}

/** Provide the meter, which a change of the rate keeps. */
static int
police_open(
	const struct port *port, const struct port_config *config, void **state, struct err *err)
{
	bool wanted = police_config(config)->rate_in != 0;
	struct meter *meter = NULL;

	if (wanted == (*state != NULL))
		return 0;
	if (wanted) {
		meter = meter_create(&port->services->senders);
		if (meter == NULL)
			return err_set(err, ENOMEM, "rate-in: no memory");
	}
	*state = meter;
	return 0;
}

static void
police_close(const struct port *port, void *state)
{
	(void)port;
	meter_destroy(state);
}

const struct feature police_feature = {
	.name = "police",
	.compile = police_compile,
	.open = police_open,
	.close = police_close,
};
