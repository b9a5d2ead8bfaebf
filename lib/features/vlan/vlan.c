/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs: classification, filtering and rewrite of frames (IEEE 802.1Q clauses 6.9 and 8.6). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/feature.h"
#include "features/vlan/keys.h"
#include "features/vlan/rules.h"
#include "vlan/rewrite.h"

/** Set the VLAN of each header run, and drop runs by ingress filtering. */
static void
vlan_ingress_stage(struct burst_context *context, const void *state)
{
	struct header_runs *runs = &context->classify.runs;
	const struct vlan_rules *rules = state;

	for (unsigned i = 0; i < runs->n; i++) {
		if (runs->dest[i] < DEST_FORWARD)
			continue;
		int reason = vlan_ingress(rules, runs->frame[i]);
		if (reason >= 0)
			runs->dest[i] = (uint16_t)(DEST_DROP + reason);
	}
}

/** Egress filter: frames of VLANs that the port carries. */
static uint32_t
vlan_filter(const struct burst_context *context, const void *state, uint32_t frames)
{
	const struct header_runs *runs = &context->classify.runs;
	const struct vlan_rules *rules = state;

	for (uint32_t rest = frames; rest != 0;) {
		unsigned run = runs->of[__builtin_ctz(rest)];
		uint32_t mask = header_runs_mask(runs, &context->burst, run);

		if (!vlan_set_has(&rules->carried, runs->frame[run]->vlan))
			frames &= ~mask;
		rest &= ~mask;
	}
	return frames;
}

/** Push, pop or rewrite the tags of frames for a tx port (IEEE 802.1Q clause 6.9.2). */
static void
vlan_egress(struct output *output, const void *state)
{
	uint16_t ready = vlan_rewrite_burst(
		&output->context->rewrite, state, output->exclusive, output->frame, output->n);

	if (likely(ready == output->n))
		return;
	output->taken = ready;
	if (ready == 0) { /* The first frame has more segments than any driver takes. */
		output_drop(output, DROP_NO_MEMORY, output->frame[0]);
		output->taken = 1;
	}
	output->n = ready;
}

/** Release the buffers of the rewritten frames, which have been sent. */
static void
vlan_egress_done(struct output *output, const void *state)
{
	(void)state;
	vlan_rewrite_done(&output->context->rewrite);
}

/** @return 1 if any port filters VLANs or has service tags, so that all ports need the feature */
static int
vlan_begin(const struct feature_switch *input, void **shared)
{
	struct port *const *ports = input->ports;

	(void)shared;
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL)
			continue;
		const struct vlan_config *config = vlan_config(&ports[id]->config);
		if (config->vlan != 0 || config->trunk[0] != '\0' || config->protocol != VLAN_8021Q)
			return 1;
	}
	return 0;
}

static int
vlan_compile(const struct feature_input *input, struct feature_stages *stages)
{
	struct vlan_rules *rules = malloc(sizeof(*rules));

	if (rules == NULL)
		return -ENOMEM;
	vlan_rules_of(&input->port->config, rules);
	rules->inserts = input->port->inserts_tags;
	stages->state = rules;
	stages->sets_vlan = true;
	stages->ingress[INGRESS_HEADERS].run = vlan_ingress_stage;
	if (rules->filters)
		stages->filter = (struct egress_filter){.run = vlan_filter, .reason = DROP_VLAN};
	stages->egress = (struct egress_stage){.run = vlan_egress, .done = vlan_egress_done};
	stages->rewrites = true;
	return 0;
}

static bool
vlan_needs_flush(const struct port_config *old, const struct port_config *changed)
{
	return memcmp(vlan_config(old), vlan_config(changed), sizeof(struct vlan_config)) != 0;
}

/** Explain the drop of a frame whose VLAN the rx port does not carry. */
static void
vlan_trace_rejected(const struct feature_trace *traced, const struct vlan_config *config)
{
	const char *name = traced->port->config.name;
	uint16_t vlan = traced->trace->vlan;

	if (config->vlan != 0)
		traced->explain(traced->arg, "vlan",
			"VLAN %u by its tag, and %s is an access port of VLAN %u", vlan, name,
			(unsigned)config->vlan);
	else if (vlan == VLAN_NONE)
		traced->explain(traced->arg, "vlan",
			"no VLAN, and %s is a trunk without a native one", name);
	else
		traced->explain(traced->arg, "vlan", "VLAN %u by its tag, and %s is a trunk of %s",
			vlan, name, config->trunk);
}

/** Explain the VLAN of a frame that ingress filtering accepts. */
static void
vlan_trace_accepted(const struct feature_trace *traced, const struct vlan_config *config)
{
	const char *name = traced->port->config.name;
	uint16_t vlan = traced->trace->vlan;

	if (config->vlan != 0)
		traced->explain(
			traced->arg, "vlan", "VLAN %u: %s is an access port of it", vlan, name);
	else if (config->trunk[0] == '\0')
		traced->explain(traced->arg, "vlan", "VLAN %u: %s, and %s carries all VLANs", vlan,
			vlan == VLAN_NONE ? "untagged or priority-tagged" : "by its tag", name);
	else
		traced->explain(traced->arg, "vlan", "VLAN %u: %s, and %s is a trunk of %s%s", vlan,
			vlan == config->native ? "native" : "by its tag", name, config->trunk,
			config->native != 0 ? " with a native VLAN" : "");
}

/** Explain the VLAN of a frame. @return true if ingress filtering dropped the frame */
static bool
vlan_trace(const struct feature_trace *traced)
{
	const struct vlan_config *config = vlan_config(&traced->port->config);
	uint16_t vlan = traced->trace->vlan;
	struct vlan_rules rules;

	vlan_rules_of(&traced->port->config, &rules);
	bool rejected = traced->trace->dest == DEST_DROP + DROP_VLAN &&
			(!vlan_carries(&rules, vlan) || (rules.access && traced->trace->tagged) ||
				(rules.filters && vlan == VLAN_NONE));
	if (rejected)
		vlan_trace_rejected(traced, config);
	else
		vlan_trace_accepted(traced, config);
	return rejected;
}

const struct feature vlan_feature = {
	.name = "vlan",
	.check = vlan_check,
	.begin = vlan_begin,
	.compile = vlan_compile,
	.needs_flush = vlan_needs_flush,
	.trace_ingress = vlan_trace,
};
