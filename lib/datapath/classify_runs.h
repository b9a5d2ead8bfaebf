/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classification in stages, for ports with features that take part in it: stages of features run
 * between these stages and work on header runs, see enum ingress_phase.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_RUNS_H
#define SHUNT_DATAPATH_CLASSIFY_RUNS_H

#include "datapath/ingress.h"

/** How the frames of a port are classified. */
struct classify_config {
	bool learn;     /**< source addresses are learned */
	bool by_source; /**< frames of a header run must have one source address */
	bool sets_vlan; /**< a feature sets the VLAN */
};

/** The stage after INGRESS_RECEIVED: find the header runs. @param state struct classify_config */
void classify_runs_stage(struct burst_context *context, const void *state);

/**
 * The stage after INGRESS_HEADERS: check addresses, learn sources, and look up destinations unless
 * features set all of them.
 *
 * @param state ignored
 */
void classify_lookup_stage(struct burst_context *context, const void *state);

/**
 * The stage after INGRESS_TARGETS: give each frame the VLAN, tag length and source port of its run,
 * and the destination of its run unless a stage dropped the frame by itself.
 *
 * @param state ignored
 */
void classify_apply_stage(struct burst_context *context, const void *state);

#endif
