/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to station*.c.
 *
 * Thread safety: as station.h.
 */
#ifndef SHUNT_VM_STATION_INTERNAL_H
#define SHUNT_VM_STATION_INTERNAL_H

#include "station.h"

/** Check the sampled frames among the first n completions of the last poll, one buffer each. */
void station_sample(struct station *station, unsigned n);

/**
 * Check one frame and update the counters.
 *
 * @param position frames received before it
 * @return distance in frames to the next numbered one, 0 when unknown
 */
unsigned station_examine(
	struct station *station, const struct received *received, uint64_t position);

/** Get a frame of n buffers that begins with completion i of the last poll. */
struct received station_gather(struct station *station, unsigned i, unsigned n);

#endif
