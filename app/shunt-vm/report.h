/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results of a run: a JSON object, and the same object as text tables.
 *
 * Thread safety: main thread, while no worker runs.
 */
#ifndef SHUNT_VM_REPORT_H
#define SHUNT_VM_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "fleet.h"

/** Frame counters of a run. */
struct outcome {
	uint64_t sent, received, lost, duplicated, reordered, corrupted;
	double pps; /**< frames received per second */
};

/**
 * Add up the counters of the last run; to be called after fleet_drain().
 *
 * @param received_in_time frames received when the run ended, before fleet_drain()
 */
struct outcome report_outcome(struct fleet *fleet, uint64_t received_in_time);

/** Add all values of the last run to result. */
void report_traffic(struct fleet *fleet, const struct outcome *outcome, json_t *result);

/** @return a new object {"p50","p99","p999","max","frames"}; latencies in microseconds */
json_t *report_latency(const struct fleet *fleet);

/** Add the generator's highest rate to result, and whether the measured rate is close to it. */
void report_ceiling(json_t *result, double ceiling_pps);

/** @return true if any frame was corrupted, duplicated or reordered */
bool report_is_bad(const json_t *result);

/** Print one line "name  value" per member, then each list as a table. */
void report_print(json_t *result, FILE *file);

#endif
