/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that circle: for each one that a station receives it may send one to its target. The
 * lightest load there is; its rate is what the switch does.
 *
 * Thread safety: loop_start() and loop_stop() on the main thread; steps on the workers.
 */
#ifndef SHUNT_VM_LOOP_H
#define SHUNT_VM_LOOP_H

#include "fleet.h"

/** Seconds of silence after which what did not come is lost: for fleet_drain(). */
#define LOOP_QUIET 1.0

struct loop {
	uint64_t stall_ticks; /**< nothing moved for so long: frames were lost, send new ones */
};

/** Let every station send its frames. */
void loop_start(struct loop *loop, struct fleet *fleet);

/** Receive a burst and send as many, for one station. @return frames moved */
unsigned loop_station(struct station *station);

/** A fleet_step; context is the struct loop. */
unsigned loop_step(struct worker *worker, void *context);

#endif
