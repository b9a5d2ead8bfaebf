/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours: drops frames with spoofed ARP or neighbour discovery at their rx port. */
#include <errno.h>

#include "datapath/classify.h"
#include "datapath/feature.h"
#include "features/neighbours/keys.h"
#include "features/neighbours/neighbour.h"
#include "features/sources/keys.h"

/**
 * Drop frames with spoofed addresses. Frames of a run may differ in their payload, so that each is
 * checked. A run without a frame that passes is dropped as a whole, and hence not learned from.
 */
static void
neighbours_stage(struct burst_context *context, const void *state)
{
	struct header_runs *runs = &context->classify.runs;
	struct burst *burst = &context->burst;
	uint32_t passes = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		unsigned run = runs->of[i];
		if (runs->dest[run] < DEST_FORWARD ||
			classify_addresses(runs->frame[run], context->classify.reserved) <
				DEST_FORWARD ||
			neighbour_may_pass(&burst->frame[i], state))
			passes |= UINT32_C(1) << run;
		else
			burst->dest[i] = DEST_DROP + DROP_NEIGHBOUR;
	}
	for (unsigned i = 0; i < runs->n; i++)
		if ((passes >> i & 1) == 0)
			runs->dest[i] = DEST_DROP + DROP_NEIGHBOUR;
}

static int
neighbours_check(const struct port_config *config, struct err *err)
{
	if (neighbours_config(config)->macs_arp && sources_config(config)->macs[0] == '\0')
		return err_set(err, EINVAL,
			"macs-arp: needs macs, the addresses that ARP and neighbour discovery may "
			"announce");
	return 0;
}

static int
neighbours_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct port_config *config = &input->port->config;

	if (!neighbours_config(config)->macs_arp)
		return 0;
	stages->state = macs_create(sources_config(config)->macs);
	if (stages->state == NULL)
		return -ENOMEM;
	stages->ingress[INGRESS_HEADERS].run = neighbours_stage;
	return 0;
}

const struct feature neighbours_feature = {
	.name = "neighbours",
	.check = neighbours_check,
	.compile = neighbours_compile,
};
