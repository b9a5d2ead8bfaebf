/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiles the features of all ports into arrays of stages, for a snapshot. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/classify.h"
#include "datapath/snapshot.h"

/** The features of a port, compiled, in the order of the table. */
struct snapshot_compiled {
	struct feature_stages row[FEATURES_MAX];
	unsigned n;
};

/** Append the ingress stages of one phase, in the order of the features. */
static void
snapshot_append_ingress(struct ingress_stage **next, const struct snapshot_compiled *compiled,
	enum ingress_phase phase)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].ingress[phase].run != NULL)
			*(*next)++ = compiled->row[i].ingress[phase];
}

/** Whether classification is split: a feature disables learning, or has stages before its end. */
static bool
snapshot_splits_classify(const struct snapshot_compiled *compiled)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].no_learning ||
			compiled->row[i].ingress[INGRESS_RECEIVED].run != NULL ||
			compiled->row[i].ingress[INGRESS_HEADERS].run != NULL ||
			compiled->row[i].ingress[INGRESS_TARGETS].run != NULL)
			return true;
	return false;
}

/** Fill in the ingress stages: those of the features, with classification between them. */
static void
snapshot_fill_ingress(struct snapshot_stages *stages, const struct snapshot_compiled *compiled)
{
	struct ingress_stage *next = stages->ingress;

	snapshot_append_ingress(&next, compiled, INGRESS_RECEIVED);
	if (snapshot_splits_classify(compiled)) {
		*next++ = (struct ingress_stage){
			.run = classify_runs_stage, .state = &stages->classify};
		snapshot_append_ingress(&next, compiled, INGRESS_HEADERS);
		*next++ = (struct ingress_stage){.run = classify_lookup_stage};
		snapshot_append_ingress(&next, compiled, INGRESS_TARGETS);
		*next++ = (struct ingress_stage){.run = classify_apply_stage};
	} else {
		*next++ = (struct ingress_stage){.run = classify_plain_stage};
	}
	snapshot_append_ingress(&next, compiled, INGRESS_FRAMES);
}

/**
 * Fill in the egress stages: those that rewrite frames, the length check, then the remaining ones.
 *
 * @param copies for copies, which pass the length check and the stages that run on copies
 */
static void
snapshot_fill_egress(
	struct egress_stage *next, const struct snapshot_compiled *compiled, bool copies)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].egress.run != NULL && compiled->row[i].rewrites && !copies)
			*next++ = compiled->row[i].egress;
	*next++ = (struct egress_stage){.run = output_length_stage};
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].egress.run != NULL && !compiled->row[i].rewrites &&
			(compiled->row[i].copies || !copies))
			*next++ = compiled->row[i].egress;
}

/** Combine the filters, properties, drains and tx functions of the features. */
static void
snapshot_add_properties(struct snapshot_stages *stages, const struct snapshot_compiled *compiled)
{
	struct egress_filter *filter = stages->filters;

	stages->classify.learn = true;
	for (unsigned i = 0; i < compiled->n; i++) {
		const struct feature_stages *row = &compiled->row[i];

		stages->state[i] = row->state;
		stages->classify.learn &= !row->no_learning;
		stages->classify.by_source |= row->by_source;
		stages->classify.sets_vlan |= row->sets_vlan;
		for (unsigned kind = 0; kind < FLOOD_KINDS; kind++)
			stages->refuses[kind] |= row->refuses[kind];
		if (row->filter.run != NULL)
			*filter++ = row->filter;
		if (row->drain.run != NULL) {
			stages->drain = row->drain;
			stages->drain_state = row->state;
			*stages->drain.owner = LCORE_MAX;
		}
	}
	stages->tx = compiled->row[compiled->n - 1].tx;
	stages->dev = compiled->row[compiled->n - 1].dev;
}

/** Give stages and filters without a state of their own the state of their feature. */
static void
snapshot_give_state(struct feature_stages *row)
{
	for (unsigned phase = 0; phase < INGRESS_PHASES; phase++)
		if (row->ingress[phase].state == NULL)
			row->ingress[phase].state = row->state;
	if (row->filter.state == NULL)
		row->filter.state = row->state;
	if (row->egress.state == NULL)
		row->egress.state = row->state;
}

/** Whether a feature adds nothing to a port. */
static bool
snapshot_adds_nothing(const struct feature_stages *row)
{
	for (unsigned phase = 0; phase < INGRESS_PHASES; phase++)
		if (row->ingress[phase].run != NULL)
			return false;
	for (unsigned kind = 0; kind < FLOOD_KINDS; kind++)
		if (row->refuses[kind])
			return false;
	return row->filter.run == NULL && row->egress.run == NULL && row->state == NULL &&
	       !row->no_learning;
}

/** Whether no feature adds anything to a port, which then takes the plain path. */
static bool
snapshot_is_plain(const struct snapshot_compiled *compiled)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (!snapshot_adds_nothing(&compiled->row[i]))
			return false;
	return true;
}

/** Compile the features of input->port. @param wanted by feature: begin() returned 1 */
static int
snapshot_compile_port(struct snapshot *snapshot, const struct feature *const features[],
	void *const states[], const bool wanted[], struct feature_input *input)
{
	struct snapshot_compiled compiled = {.n = 0};
	struct feature_stages next = {
		.tx = input->port->config.driver->tx, .dev = input->port->dev};
	int rc = 0;

	for (unsigned i = 0; features[i] != NULL && rc == 0; i++) {
		struct feature_stages *row = &compiled.row[compiled.n];

		*row = next;
		input->shared = snapshot->shared[i];
		input->state = input->port->state[i];
		input->switch_state = states != NULL ? states[i] : NULL;
		if (!wanted[i])
			continue;
		compiled.n++;
		rc = features[i]->compile(input, row);
		snapshot_give_state(row);
		next.tx = row->tx;
		next.dev = row->dev;
	}
	if (rc == 0 && snapshot_is_plain(&compiled))
		return 0;
	struct snapshot_stages *stages = rc == 0 ? calloc(1, sizeof(*stages)) : NULL;
	if (stages == NULL) {
		for (unsigned i = 0; i < compiled.n; i++)
			free(compiled.row[i].state);
		return -ENOMEM;
	}
	snapshot_add_properties(stages, &compiled);
	snapshot_fill_ingress(stages, &compiled);
	snapshot_fill_egress(stages->egress, &compiled, false);
	snapshot_fill_egress(stages->copies, &compiled, true);
	snapshot->stages[input->port->id] = stages;
	return 0;
}

int
snapshot_compile(struct snapshot *snapshot, const struct feature *const features[],
	void *const states[], struct port *const ports[PORT_MAX])
{
	struct feature_switch whole = {.ports = ports, .snapshot = snapshot};
	struct feature_input input = {.ports = ports};
	bool wanted[FEATURES_MAX];

	for (unsigned i = 0; features[i] != NULL; i++) {
		whole.state = states != NULL ? states[i] : NULL;
		int rc = features[i]->begin == NULL
				 ? 1
				 : features[i]->begin(&whole, &snapshot->shared[i]);
		if (rc < 0)
			return rc;
		wanted[i] = rc > 0;
	}
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		input.port = ports[id];
		if (ports[id] != NULL &&
			snapshot_compile_port(snapshot, features, states, wanted, &input) < 0)
			return -ENOMEM;
	}
	return 0;
}

void
snapshot_compile_free(struct snapshot *snapshot)
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct snapshot_stages *stages = snapshot->stages[id];

		for (unsigned i = 0; stages != NULL && i < FEATURES_MAX; i++)
			free(stages->state[i]);
		free(stages);
	}
	for (unsigned i = 0; i < FEATURES_MAX; i++)
		free(snapshot->shared[i]);
}
