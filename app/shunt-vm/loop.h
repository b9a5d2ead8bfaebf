/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Circulating frames: for each frame that a station receives it may send one to its target. This is
 * the cheapest load to generate, so that the switch determines its rate.
 *
 * Thread safety: loop_start() on the main thread; loop_station() and loop_step() on workers.
 */
#ifndef SHUNT_VM_LOOP_H
#define SHUNT_VM_LOOP_H

#include "fleet.h"

/** Seconds without frames after which outstanding frames count as lost, for fleet_drain(). */
#define LOOP_QUIET 1.0

struct loop {
	uint64_t stall_ticks; /**< TSC ticks without frames after which new ones are sent */
};

/** Give every station its credit of frames to send. */
void loop_start(struct loop *loop, struct fleet *fleet);

/** Receive a burst on one station and send as many frames. @return frames received and sent */
unsigned loop_station(struct station *station);

/** A fleet_step; context is the struct loop. */
unsigned loop_step(struct worker *worker, void *context);

#endif
