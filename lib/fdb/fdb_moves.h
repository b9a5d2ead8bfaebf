/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to the FDB: records of addresses that moved, and counters of those not learnt.
 *
 * Thread safety: said at each structure; "the writer" is the thread that holds the FDB's lock.
 */
#ifndef SHUNT_FDB_MOVES_H
#define SHUNT_FDB_MOVES_H

#include <stdint.h>

enum { FDB_MOVER_SETS = 64 }; /**< of FDB_WAYS each */

/** An address that moved recently. By the writer; key and until are read by learners too. */
struct fdb_mover {
	uint64_t key;   /**< 0 = none */
	uint32_t since; /**< begin of counting, in seconds */
	uint32_t until; /**< end of the time in which it may not move, in seconds */
	uint32_t moves; /**< from `since` on */
};

/** Addresses seen at a port and not learnt there. Learners add atomically. */
struct fdb_statistics {
	uint64_t refused;
	uint64_t stuck;
	uint64_t damped;
};

#endif
