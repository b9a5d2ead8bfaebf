/* SPDX-License-Identifier: BSD-3-Clause */
/* Mode latency: latency at a given rate or at shares of the NDR. */
#include "mode.h"
#include "ndr.h"
#include "report.h"
#include "trial.h"

/** Up to this many frames per second numbering each one does not slow the generator down. */
static const double LATENCY_EXACT_PPS = 1e6;

/** Run a trial at a rate, up to LATENCY_EXACT_PPS with each frame numbered. */
static int
mode_latency_run(struct fleet *fleet, struct trial *trial, double pps, struct trial_result *done,
	struct err *err)
{
	unsigned sample = fleet->traffic.sample;

	fleet->traffic.sample = pps <= LATENCY_EXACT_PPS ? 1 : sample != 0 ? sample : 64;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		station_tune(&fleet->stations[i]);
	trial->pps = pps;
	return trial_run(trial, fleet, done, err);
}

/** Measure the NDR, then add the latency at 10, 50 and 90% of it. */
static int
mode_latency_at_shares(struct fleet *fleet, struct trial *trial, struct trial_result *done,
	json_t *result, struct err *err)
{
	static const int shares[3] = {10, 50, 90};
	json_t *list = json_array();
	struct ndr ndr;
	int code;

	trial->seconds = fleet->settings->trial;
	code = ndr_measure(&ndr, trial, fleet, err);
	trial->seconds = fleet->settings->seconds;
	for (unsigned i = 0; code == 0 && !fleet_interrupted && i < 3; i++) {
		json_t *one;

		code = mode_latency_run(fleet, trial, ndr.ndr * shares[i] / 100, done, err);
		one = report_latency(fleet);
		json_object_set_new(one, "percent", json_integer(shares[i]));
		json_object_set_new(one, "mpps", json_real(done->received_pps / 1e6));
		json_object_set_new(one, "lost", json_integer((json_int_t)trial_lost(done)));
		json_array_append_new(list, one);
	}
	json_object_set_new(result, "ndr_mpps", json_real(ndr.ndr / 1e6));
	json_object_set_new(result, "latency_at", list);
	return code;
}

int
mode_latency(struct fleet *fleet, json_t *result, struct err *err)
{
	struct trial trial = {.seconds = fleet->settings->seconds};
	struct trial_result done = {0};
	struct outcome outcome;
	int code;

	trial_aim(&trial, fleet);
	code = fleet_prime(fleet, err);
	if (code == 0 && fleet->settings->rate > 0)
		code = mode_latency_run(fleet, &trial, fleet->settings->rate, &done, err);
	else if (code == 0)
		code = mode_latency_at_shares(fleet, &trial, &done, result, err);
	outcome = report_outcome(fleet, (uint64_t)(done.received_pps * fleet->seconds));
	report_traffic(fleet, &outcome, result);
	return code;
}
