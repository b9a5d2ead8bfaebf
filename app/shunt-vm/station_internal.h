/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to station*.c.
 *
 * Thread safety: as station.h.
 */
#ifndef SHUNT_VM_STATION_INTERNAL_H
#define SHUNT_VM_STATION_INTERNAL_H

#include "station.h"

/**
 * Check one frame and update the counters.
 *
 * @param position frames received before it
 * @return distance in frames to the next numbered one, 0 when unknown
 */
unsigned station_check(struct station *station, const struct received *received, uint64_t position);

#endif
