/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Classification in stages, for ports with features that take part in it: they work on header runs
 * between these stages, see enum ingress_phase.
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
 * The stage after INGRESS_HEADERS: check addresses, learn sources and look up destinations.
 *
 * @param state ignored
 */
void classify_lookup_stage(struct burst_context *context, const void *state);

/**
 * The stage after INGRESS_TARGETS: each frame that is not dropped gets the destination, source port
 * and VLAN of its run.
 *
 * @param state ignored
 */
void classify_apply_stage(struct burst_context *context, const void *state);

#endif
