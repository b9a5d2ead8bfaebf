/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiles the features of a port into arrays of stages, for a snapshot. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/classify.h"
#include "datapath/classify_rules.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

/** A port's features, compiled, by row of the table. */
struct snapshot_compiled {
	struct feature_stages row[FEATURES_MAX];
	unsigned n;
};

static void
snapshot_add_ingress(
	struct ingress_stage **next, const struct snapshot_compiled *compiled, bool before)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].ingress.run != NULL &&
			compiled->row[i].before_classify == before)
			*(*next)++ = compiled->row[i].ingress;
}

/** Those that rewrite frames, the length check, the others. */
static void
snapshot_add_egress(
	struct egress_stage *next, const struct snapshot_compiled *compiled, bool copies)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].egress.run != NULL && compiled->row[i].rewrites && !copies)
			*next++ = compiled->row[i].egress;
	*next++ = (struct egress_stage){.run = output_fit};
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].egress.run != NULL && !compiled->row[i].rewrites &&
			(compiled->row[i].copies || !copies))
			*next++ = compiled->row[i].egress;
}

static bool
snapshot_compile(const struct feature_input *input, struct snapshot_compiled *compiled)
{
	struct feature_stages next = {
		.tx = input->port->config.driver->tx, .dev = input->port->dev};

	compiled->n = 0;
	for (const struct feature *feature = features; feature->name != NULL; feature++) {
		struct feature_stages *row = &compiled->row[compiled->n++];

		*row = next;
		if (feature->compile(input, row) < 0)
			return false;
		if (row->ingress.state == NULL)
			row->ingress.state = row->state;
		if (row->egress.state == NULL)
			row->egress.state = row->state;
		next.tx = row->tx;
		next.dev = row->dev;
	}
	return true;
}

/** Whether no feature has anything to do for a port. */
static bool
snapshot_is_plain(const struct snapshot_compiled *compiled, const struct feature_input *input)
{
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].ingress.run != NULL || compiled->row[i].egress.run != NULL ||
			compiled->row[i].state != NULL)
			return false;
	return input->rules == NULL;
}

/** Put the stages of a port's features, and its classification, in order. */
static void
snapshot_order(struct snapshot_stages *stages, const struct snapshot_compiled *compiled,
	const struct feature_input *input)
{
	const struct feature_stages *last = &compiled->row[compiled->n - 1];
	struct ingress_stage *next = stages->ingress;

	snapshot_add_ingress(&next, compiled, true);
	*next++ = input->rules != NULL ? (struct ingress_stage){.run = classify_rules_stage,
						 .state = input->rules}
				       : (struct ingress_stage){.run = classify_plain_stage};
	snapshot_add_ingress(&next, compiled, false);
	snapshot_add_egress(stages->egress, compiled, false);
	snapshot_add_egress(stages->copies, compiled, true);
	for (unsigned i = 0; i < compiled->n; i++)
		if (compiled->row[i].drain.run != NULL) {
			stages->drain = compiled->row[i].drain;
			stages->drain_state = compiled->row[i].state;
			*stages->drain.owner = LCORE_MAX;
		}
	stages->tx = last->tx;
	stages->dev = last->dev;
}

int
snapshot_stages_build(const struct feature_input *input, struct snapshot_stages **built)
{
	struct snapshot_compiled compiled;
	bool good = snapshot_compile(input, &compiled);

	*built = NULL;
	if (good && snapshot_is_plain(&compiled, input))
		return 0;
	struct snapshot_stages *stages = calloc(1, sizeof(*stages));
	if (!good || stages == NULL) {
		for (unsigned i = 0; i < compiled.n; i++)
			free(compiled.row[i].state);
		free(stages);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < compiled.n; i++)
		stages->state[i] = compiled.row[i].state;
	snapshot_order(stages, &compiled, input);
	*built = stages;
	return 0;
}

void
snapshot_stages_free(struct snapshot_stages *stages)
{
	for (unsigned i = 0; stages != NULL && i < FEATURES_MAX; i++)
		free(stages->state[i]);
	free(stages);
}
