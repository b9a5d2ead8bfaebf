/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a lane's rounds go: histograms of the frames that a poll found, and of how long a round
 * took, from its begin to the begin of the next.
 *
 * Thread safety: written by the lane's thread in its own memory; control reads them with relaxed
 * loads, each number for itself.
 */
#ifndef SHUNT_DATAPATH_ROUNDS_H
#define SHUNT_DATAPATH_ROUNDS_H

#include <stdint.h>

#include <rte_cycles.h>

#include "datapath/datapath.h"

enum {
	ROUNDS_LOOP_SHIFT = 20,  /**< the first bucket of durations: up to 1/2^20 s */
	ROUNDS_SCALE_SHIFT = 32, /**< fraction bits of the scale */
};

/** What the lane's thread keeps of its rounds. */
struct rounds {
	struct datapath_rounds seen;
	uint64_t begin; /**< TSC at the begin of the round; 0 = the one before does not count */
	uint64_t scale; /**< 1/2^20 s in a TSC cycle, as a fraction */
};

/** Start to count from 0. */
static inline void
rounds_init(struct rounds *rounds)
{
	*rounds = (struct rounds){
		.scale = (UINT64_C(1) << (ROUNDS_LOOP_SHIFT + ROUNDS_SCALE_SHIFT)) /
			 rte_get_tsc_hz(),
	};
}

/** The bucket of a number: 0, 1, 2 to 3, 4 to 7, ... */
static inline unsigned
rounds_bucket(uint64_t number)
{
	return 63U - (unsigned)__builtin_clzll(2 * number + 1);
}

/** A poll found n frames, at least one. */
static inline void
rounds_found(struct rounds *rounds, unsigned n)
{
	rounds->seen.burst[rounds_bucket(n - 1)]++;
}

/** A round begins. @param now TSC */
static inline void
rounds_begin(struct rounds *rounds, uint64_t now)
{
	uint64_t cycles = now - rounds->begin;
	unsigned bucket = rounds_bucket((cycles * rounds->scale) >> ROUNDS_SCALE_SHIFT);

	if (bucket >= DATAPATH_LOOP_BUCKETS)
		bucket = DATAPATH_LOOP_BUCKETS - 1;
	if (rounds->begin != 0) {
		rounds->seen.loop[bucket]++;
		rounds->seen.loop_cycles += cycles;
	}
	rounds->begin = now;
}

/** What comes now is no part of a round, nor is the time until the next one begins. */
static inline void
rounds_pause(struct rounds *rounds)
{
	rounds->begin = 0;
}

#endif
