/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns of a port's queues. A port with many queues on a lane that other ports share is a crowd: a
 * few bursts of it are taken in a round, and no queue comes again before all others had a chance.
 *
 * Thread safety: of one lane's thread.
 */
#ifndef SHUNT_DATAPATH_TURNS_H
#define SHUNT_DATAPATH_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"

enum { TURNS_BURSTS = 2 }; /**< of a crowd in a round; as many queues are no crowd */

struct turns {
	struct {
		uint32_t pass;   /**< a queue that it has the number of was served in it */
		uint16_t bursts; /**< in this round */
		bool waiting;    /**< a queue was passed over in this round */
	} crowd[DATAPATH_SLOT_MAX / TURNS_BURSTS];
	uint32_t served[DATAPATH_SLOT_MAX]; /**< by number of the poll: the pass */
};

/** A round begins. Where all queues had their chance, so does a pass. */
static inline void
turns_begin(struct turns *turns, uint16_t n_crowds)
{
	for (uint16_t i = 0; i < n_crowds; i++) {
		turns->crowd[i].pass += !turns->crowd[i].waiting;
		turns->crowd[i].bursts = 0;
		turns->crowd[i].waiting = false;
	}
}

/** Is it the turn of a queue? @param crowd from 1 */
static inline bool
turns_is_due(struct turns *turns, uint16_t crowd, uint16_t number)
{
	if (turns->served[number] == turns->crowd[crowd - 1].pass)
		return false;
	if (turns->crowd[crowd - 1].bursts < TURNS_BURSTS)
		return true;
	turns->crowd[crowd - 1].waiting = true;
	return false;
}

/** It had frames. */
static inline void
turns_took(struct turns *turns, uint16_t crowd, uint16_t number)
{
	turns->served[number] = turns->crowd[crowd - 1].pass;
	turns->crowd[crowd - 1].bursts++;
}

#endif
