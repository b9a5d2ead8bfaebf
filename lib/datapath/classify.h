/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage for ports without rules: drop frames that a bridge must not forward, learn
 * source addresses and look up destination addresses.
 *
 * Thread safety: any polling lcore, each with its own burst.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_H
#define SHUNT_DATAPATH_CLASSIFY_H

#include "datapath/context.h"

/**
 * Set the destination of each frame: burst->dest receives a port id, DEST_FLOOD, or DEST_DROP plus
 * the reason. Sets l2_len and vlan of the frames. (IEEE 802.1Q clauses 6.9, 8.6, 8.7)
 *
 * @param learn false: sources are not learnt, and the table does not change
 * @return number of source addresses that could not be learnt
 */
unsigned classify_burst(struct fdb *fdb, struct burst *burst, bool learn);

/** Whether the sources of the burst are to be learnt: not while the port backs off, or for a trace. */
static inline bool
classify_learns(const struct burst_context *context)
{
	return !context->trace_only && context->learn_backoff[context->burst.port] == 0;
}

/**
 * Learn back-off: a source that cannot be learnt costs much. Skipping a burst for every two of them
 * bounds them to two per burst on average.
 *
 * @param missed source addresses of the burst that could not be learnt
 */
static inline void
classify_back_off(struct burst_context *context, unsigned missed)
{
	uint8_t *backoff = &context->learn_backoff[context->burst.port];

	if (unlikely(*backoff > 0))
		--*backoff;
	else
		*backoff = (uint8_t)(missed / 2);
}

/** The classify stage of a port without rules, as an ingress stage. @param state ignored */
void classify_plain_stage(struct burst_context *context, const void *state);

#endif
