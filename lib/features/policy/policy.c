/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies: which ports may reach each other, directly or through an uplink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/feature.h"
#include "features/policy/keys.h"
#include "features/policy/rules.h"

/** The policies of all ports; `port` of those that do not exist is PORT_NONE. */
struct policies {
	struct policy of[PORT_MAX];
};

/** The policy of a port, compiled. */
struct policy_state {
	const struct policies *all;
	const struct policy *self;
	uint16_t fixed; /**< destination of all frames of this port; PORT_NONE = by the FDB */
	bool is_uplink; /**< other ports are its members */
};

/** Set the source port of reflected frames: a member of this uplink has their source address. */
static void
policy_find_reflected(struct burst_context *context, const struct policy_state *state)
{
	struct classification *classify = &context->classify;
	struct fdb_batch sources;

	header_runs_sources(context->fdb, &classify->runs, &sources);
	fdb_query_look(context->fdb, &sources.query);
	fdb_lookup_burst(context->fdb, &sources.query);
	for (unsigned i = 0; i < classify->runs.n; i++) {
		uint16_t port = fdb_batch_port(&sources, i);
		if (port < PORT_MAX && state->all->of[port].uplink == state->self->port)
			classify->source_port[i] = port;
	}
}

/** INGRESS_HEADERS of uplinks, and of ports whose fixed destination needs no lookup. */
static void
policy_headers(struct burst_context *context, const void *arg)
{
	const struct policy_state *state = arg;

	context->classify.decided = state->fixed != PORT_NONE;
	if (state->is_uplink)
		policy_find_reflected(context, state);
}

/** INGRESS_TARGETS: set the fixed destination of all frames, the uplink or its passthru member. */
static void
policy_fixed(struct burst_context *context, const void *arg)
{
	struct header_runs *runs = &context->classify.runs;
	const struct policy_state *state = arg;
	uint16_t dest = state->fixed;

	if (dest >= PORT_MAX)
		dest = DEST_DROP + DROP_NO_TARGET;
	for (unsigned i = 0; i < runs->n; i++)
		if (runs->dest[i] >= DEST_FORWARD)
			runs->dest[i] = dest;
}

/**
 * INGRESS_TARGETS: send frames whose destination port may not be reached directly to an uplink, or
 * drop them.
 */
static void
policy_resolve(struct burst_context *context, const void *arg)
{
	struct header_runs *runs = &context->classify.runs;
	const struct policy_state *state = arg;

	for (unsigned i = 0; i < runs->n; i++) {
		if (runs->dest[i] >= PORT_MAX)
			continue;
		const struct policy *to = &state->all->of[runs->dest[i]];
		if (to->port == PORT_NONE || policy_may_forward(state->self, to))
			continue;
		uint16_t dest = policy_via_uplink(state->self, to);
		if (dest >= PORT_MAX || state->all->of[dest].port == PORT_NONE)
			dest = DEST_DROP + DROP_POLICY;
		runs->dest[i] = dest;
	}
}

/** Egress filter of floods: which frames the rx port and the source port may flood to this port. */
static uint32_t
policy_filter(const struct burst_context *context, const void *arg, uint32_t frames)
{
	const struct policy_state *state = arg;
	const struct burst *burst = &context->burst;

	if (!policy_may_forward(&state->all->of[burst->port], state->self))
		return 0;
	for (uint32_t rest = frames; rest != 0; rest &= rest - 1) {
		int i = __builtin_ctz(rest);
		uint16_t source = burst->source_port[i];
		if (source != burst->port &&
			!policy_reflective_relay(&state->all->of[source], state->self))
			frames &= ~(UINT32_C(1) << i);
	}
	return frames;
}

static int
policy_check(const struct port_config *port, struct err *err)
{
	const struct policy_config *config = policy_config(port);

	if (config->policy != POLICY_BRIDGE && config->uplink[0] == '\0')
		return err_set(err, EINVAL, "policy: needs uplink, the port that all frames go to");
	if (strcmp(config->uplink, port->name) == 0)
		return err_set(err, EINVAL, "uplink: a port cannot be its own");
	return 0;
}

/** Check that a passthru port is the only member of its uplink. */
static int
policy_check_alone(const struct port_config *const configs[], unsigned n,
	const struct port_config *self, struct err *err)
{
	const char *uplink = policy_config(self)->uplink;

	for (unsigned i = 0; i < n; i++) {
		if (configs[i] == self || strcmp(policy_config(configs[i])->uplink, uplink) != 0)
			continue;
		return err_set(err, EBUSY, "policy: passthru allows one member, and %s has %s too",
			configs[i]->name, uplink);
	}
	return 0;
}

/** Check that the uplink exists and has no uplink, and that a passthru member is alone. */
static int
policy_relate(const struct port_config *const configs[], unsigned n, unsigned i, struct err *err)
{
	const struct policy_config *config = policy_config(configs[i]);

	if (config->uplink[0] == '\0')
		return 0;
	const struct port_config *uplink = feature_find_config(configs, n, config->uplink);
	if (uplink == NULL)
		return err_set(err, ENOENT, "uplink: no port '%s'", config->uplink);
	if (policy_config(uplink)->uplink[0] != '\0')
		return err_set(err, EINVAL, "uplink: %s has an uplink itself", uplink->name);
	return config->policy == POLICY_PASSTHRU ? policy_check_alone(configs, n, configs[i], err)
						 : 0;
}

/** Fill in the policies of all ports. Consecutive ports mostly have the same uplink. */
static void
policy_fill(struct policies *all, struct port *const ports[PORT_MAX])
{
	uint16_t uplink = PORT_NONE;
	const char *name = "";

	for (uint16_t id = 0; id < PORT_MAX; id++) {
		all->of[id] = (struct policy){.port = PORT_NONE, .uplink = PORT_NONE};
		if (ports[id] == NULL)
			continue;
		const struct policy_config *config = policy_config(&ports[id]->config);
		if (strcmp(config->uplink, name) != 0) {
			name = config->uplink;
			uplink = feature_port_id(ports, name);
		}
		all->of[id] = (struct policy){
			.mode = (enum policy_mode)config->policy,
			.port = id,
			.uplink = uplink,
			.isolated = config->isolated,
		};
	}
}

/** Fill in the policies of all ports. @return 0 if no port has an uplink or is isolated */
static int
policy_begin(const struct feature_switch *input, void **shared)
{
	struct port *const *ports = input->ports;
	bool any = false;

	for (uint16_t id = 0; id < PORT_MAX && !any; id++) {
		if (ports[id] == NULL)
			continue;
		const struct policy_config *config = policy_config(&ports[id]->config);
		any = config->uplink[0] != '\0' || config->isolated;
	}
	if (!any)
		return 0;
	struct policies *all = malloc(sizeof(*all));
	if (all == NULL)
		return -ENOMEM;
	policy_fill(all, ports);
	*shared = all;
	return 1;
}

/** Set `is_uplink`, and the fixed destination if a member is passthru. */
static void
policy_find_members(const struct policies *all, struct policy_state *state)
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (!policy_is_member(&all->of[id], state->self))
			continue;
		state->is_uplink = true;
		if (all->of[id].mode == POLICY_PASSTHRU)
			state->fixed = id;
	}
}

static int
policy_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct policies *all = input->shared;
	struct policy_state *state = malloc(sizeof(*state));

	if (state == NULL)
		return -ENOMEM;
	*state = (struct policy_state){
		.all = all, .self = &all->of[input->port->id], .fixed = PORT_NONE};
	policy_find_members(all, state);
	if (state->self->mode != POLICY_BRIDGE)
		state->fixed = state->self->uplink;
	bool fixed = state->fixed != PORT_NONE;
	stages->state = state;
	stages->by_source = state->is_uplink;
	if (state->is_uplink || fixed)
		stages->ingress[INGRESS_HEADERS].run = policy_headers;
	stages->ingress[INGRESS_TARGETS].run = fixed ? policy_fixed : policy_resolve;
	stages->filter = (struct egress_filter){.run = policy_filter, .floods_only = true};
	return 0;
}

static bool
policy_needs_flush(const struct port_config *old, const struct port_config *changed)
{
	return strcmp(policy_config(old)->uplink, policy_config(changed)->uplink) != 0;
}

/** Explain a fixed destination. */
static bool
policy_trace(const struct feature_trace *traced)
{
	const struct policy_config *config = policy_config(&traced->port->config);

	if (config->policy != POLICY_BRIDGE) {
		traced->explain(traced->arg, "policy",
			"all frames go to %s: the uplink, for every destination address",
			config->uplink);
		return true;
	}
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		const struct port *port = traced->ports[id];
		if (port == NULL || policy_config(&port->config)->policy != POLICY_PASSTHRU ||
			strcmp(policy_config(&port->config)->uplink, traced->port->config.name) !=
				0)
			continue;
		traced->explain(traced->arg, "policy",
			"all frames go to %s: its policy is passthru", port->config.name);
		return true;
	}
	return false;
}

const struct feature policy_feature = {
	.name = "policy",
	.check = policy_check,
	.relate = policy_relate,
	.begin = policy_begin,
	.compile = policy_compile,
	.needs_flush = policy_needs_flush,
	.trace_target = policy_trace,
};
