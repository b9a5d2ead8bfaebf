/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the files of the station. Thread safety: as station.h.
 */
#ifndef SHUNT_VM_STATION_INTERNAL_H
#define SHUNT_VM_STATION_INTERNAL_H

#include "station.h"

/** Look at the sampled ones of n frames in the first n completions of the last poll. */
void station_sample(struct station *station, unsigned n);

/**
 * Check one frame and count what is found.
 *
 * @param position frames received before it
 * @return how many frames on the next numbered one is, 0 when that is not known
 */
unsigned station_examine(
	struct station *station, const struct received *received, uint64_t position);

/** Gather a frame of n buffers, the first being completion i of the last poll. */
struct received station_gather(struct station *station, unsigned i, unsigned n);

#endif
