/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage: look at the header of every frame of a burst, refuse what a bridge must not
 * forward, learn the sources, look the destinations up.
 *
 * Thread safety: any polling lcore, each with a burst of its own.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_H
#define SHUNT_DATAPATH_CLASSIFY_H

#include "datapath/burst.h"

/**
 * Decide where each frame goes: burst->dest receives a port id, DEST_FLOOD, or DEST_DROP plus the
 * reason. Fills in l2_len and vlan of the frames. (IEEE 802.1Q clauses 6.9, 8.6, 8.7)
 *
 * @param learn false: the table stays as it is, and sources are not looked at
 * @return how many sources could not be learnt
 */
unsigned classify_burst(struct fdb *fdb, struct burst *burst, bool learn);

#endif
