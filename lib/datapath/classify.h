/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage for ports without rules: drop frames that a bridge must not forward, learn
 * source addresses and look up destination addresses.
 *
 * Thread safety: any polling lcore, each with its own burst.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_H
#define SHUNT_DATAPATH_CLASSIFY_H

#include "datapath/burst.h"

/**
 * Set the destination of each frame: burst->dest receives a port id, DEST_FLOOD, or DEST_DROP plus
 * the reason. Sets l2_len and vlan of the frames. (IEEE 802.1Q clauses 6.9, 8.6, 8.7)
 *
 * @param learn false: sources are not learnt, and the table does not change
 * @return number of source addresses that could not be learnt
 */
unsigned classify_burst(struct fdb *fdb, struct burst *burst, bool learn);

#endif
