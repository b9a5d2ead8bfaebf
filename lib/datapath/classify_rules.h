/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage for ports with rules: VLAN ingress filtering, spoofing guard, learning,
 * lookup, the policies of both ports, and storm control.
 *
 * Thread safety: any polling lcore, each with its own burst.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_RULES_H
#define SHUNT_DATAPATH_CLASSIFY_RULES_H

#include "datapath/context.h"

/**
 * As classify_burst(), for a burst from a port that has rules. Also sets burst->source_port and
 * tag_len of the frames. burst->dest is DEST_LOOKUP, or the reason why a stage has dropped the frame.
 *
 * @param live false when trace-only: storm control is skipped
 * @param learn false: sources are not learnt, and the table does not change
 * @return number of source addresses that could not be learnt
 */
unsigned classify_rules_burst(struct fdb *fdb, const struct snapshot *snapshot, struct burst *burst,
	bool live, bool learn);

/** The classify stage of a port with rules, as an ingress stage. @param state its rules */
void classify_rules_stage(struct burst_context *context, const void *state);

#endif
