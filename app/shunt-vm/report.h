/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results as one JSON object, and the same object as a table for people.
 *
 * Thread safety: while no worker runs.
 */
#ifndef SHUNT_VM_REPORT_H
#define SHUNT_VM_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "fleet.h"

/** What the frames of a run came to. */
struct outcome {
	uint64_t sent, received, lost, duplicated, reordered, corrupted;
	double pps; /**< received a second */
};

/** Sum up the last run of the fleet (after fleet_drain()). received: at the end of the run. */
struct outcome report_outcome(struct fleet *fleet, uint64_t received_in_time);

/** Put everything about the last run into the result. */
void report_traffic(struct fleet *fleet, const struct outcome *outcome, json_t *result);

/** {"p50","p99","p999","max","frames"} in microseconds. @return a new object */
json_t *report_latency(const struct fleet *fleet);

/** What the generator could do at most, and whether the result comes near it. */
void report_ceiling(json_t *result, double ceiling_pps);

/** Was a frame corrupted, duplicated or reordered? */
bool report_is_bad(const json_t *result);

/** Print one "name  value" line for each member, then lists as tables. */
void report_print(json_t *result, FILE *file);

#endif
