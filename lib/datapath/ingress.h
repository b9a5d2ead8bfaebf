/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the ingress stages of a port, classification among them, on the burst of a context.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_INGRESS_H
#define SHUNT_DATAPATH_INGRESS_H

#include "datapath/output.h"

/** Phases of ingress, in order; classification takes place between them. */
enum ingress_phase {
	INGRESS_RECEIVED, /**< on frames, before their headers are looked at */
	INGRESS_HEADERS,  /**< on header runs, before learning and the lookup of destinations */
	INGRESS_TARGETS,  /**< on header runs that have a destination or were dropped */
	INGRESS_FRAMES,   /**< on frames that have a destination or were dropped */
	INGRESS_PHASES,
};

/** An ingress stage of a port: a function with its immutable state. */
struct ingress_stage {
	/**
	 * Work on context->burst before it is forwarded. Stages of INGRESS_HEADERS and
	 * INGRESS_TARGETS work on context->classify.runs, and drop a run by its `dest`, or single
	 * frames by their burst->dest.
	 */
	void (*run)(struct burst_context *context, const void *state);

	/** Work on the same burst once it has been forwarded or dropped; NULL = nothing to do. */
	void (*done)(struct burst_context *context, const void *state);
	const void *state;
};

/** Run the stages, which set the destination of each frame, and send the copies that these made. */
static inline void
ingress_run(struct burst_context *context, const struct ingress_stage *stages)
{
	burst_accept(&context->burst);
	for (; stages->run != NULL; stages++)
		stages->run(context, stages->state);
	output_send_copies(context);
}

/** Call done() of the stages, once the burst has been forwarded or dropped. */
static inline void
ingress_done(struct burst_context *context, const struct ingress_stage *stages)
{
	for (; stages->run != NULL; stages++)
		if (stages->done != NULL)
			stages->done(context, stages->state);
}

#endif
