/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage for ports with rules: ingress rules, learning, lookup, and what the policies
 * of the ports on both sides say of it.
 *
 * Thread safety: polling lcores, each with bursts of its own.
 */
#ifndef SHUNT_DATAPATH_INGRESS_H
#define SHUNT_DATAPATH_INGRESS_H

#include "datapath/burst.h"
#include "datapath/snapshot.h"

/**
 * As classify_burst(), for a burst from a port that has rules. Fills in burst->origin too, and
 * tag_len of the frames.
 *
 * @param live false: nothing is counted against limits
 * @param learn false: the table stays as it is
 * @return how many sources could not be learnt
 */
unsigned ingress_burst(struct fdb *fdb, const struct snapshot *snapshot, struct burst *burst,
	bool live, bool learn);

#endif
