/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the filtering table: what it remembers of addresses that move, or were refused.
 *
 * Thread safety: said at each structure; "the writer" is whoever holds the table's lock.
 */
#ifndef SHUNT_FDB_MOVES_H
#define SHUNT_FDB_MOVES_H

#include <stdint.h>

enum { FDB_MOVER_SETS = 64 }; /**< of FDB_WAYS each */

/** An address that moved lately. By the writer; key and until are read by learners too. */
struct fdb_mover {
	uint64_t key;   /**< 0 = none */
	uint32_t since; /**< when its moves began to be counted, in seconds */
	uint32_t until; /**< up to when it is held */
	uint32_t moves; /**< since then */
};

/** Addresses seen at a port and not learnt there. Added to atomically by learners. */
struct fdb_statistics {
	uint64_t refused;
	uint64_t stuck;
	uint64_t damped;
};

#endif
