/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mode congestion: RFC 2889 section 5.5. One VM sends to two others alternately, then one of these
 * stops receiving. The rate at the other one must not change: no head-of-line blocking.
 */
#include <errno.h>
#include <string.h>

#include "mode.h"
#include "report.h"
#include "trial.h"
#include "base/tsc.h"

static const double HEALTHY_SHARE = 0.95, RATE_SHARE = 0.5;

/** @return the VM that continues to receive: the first that neither sends nor stalls */
static unsigned
mode_congestion_other(const struct fleet *fleet, unsigned from, unsigned stalled)
{
	unsigned other = (unsigned)fleet->settings->options.to;

	for (unsigned v = 0; other == from || other == stalled; v++)
		other = v;
	return other;
}

/** Run a trial and get the frames per second that the other VM receives. */
static int
mode_congestion_run(const struct trial *trial, struct fleet *fleet, unsigned other, double *pps,
	uint64_t *received, struct err *err)
{
	struct trial_result done;
	int code = trial_run(trial, fleet, &done, err);

	*received = 0;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		if (fleet->stations[i].vm->index == other)
			*received += fleet->stations[i].count.rx_frames;
	*pps = fleet->seconds > 0 ? (double)*received / fleet->seconds : 0;
	return code;
}

/** Measure the rate at the other VM while all receive, then while one stalls; add both. */
static int
mode_congestion_measure(struct trial *trial, struct fleet *fleet, unsigned stalled, unsigned other,
	json_t *result, struct err *err)
{
	double before = 0, after = 0;
	uint64_t received = 0, sent;
	struct trial_result most = {0};
	int code = 0;

	if (trial->pps == 0) {
		code = trial_run(trial, fleet, &most, err);
		trial->pps = most.received_pps * RATE_SHARE;
	}
	if (code == 0)
		code = mode_congestion_run(trial, fleet, other, &before, &received, err);
	trial->stalls[stalled] = true;
	if (code == 0)
		code = mode_congestion_run(trial, fleet, other, &after, &received, err);
	sent = fleet_count(fleet).tx_frames / 2;
	json_object_set_new(result, "offered_mpps", json_real(trial->pps / 1e6));
	json_object_set_new(result, "other_mpps", json_real(before / 1e6));
	json_object_set_new(result, "other_mpps_stalled", json_real(after / 1e6));
	json_object_set_new(result, "other_lost",
		json_integer((json_int_t)(sent > received ? sent - received : 0)));
	if (code == 0 && !fleet_interrupted)
		json_object_set_new(result, "head_of_line_blocking",
			json_boolean(after < before * HEALTHY_SHARE));
	return code;
}

int
mode_congestion(struct fleet *fleet, json_t *result, struct err *err)
{
	const struct settings_options *options = &fleet->settings->options;
	unsigned from = (unsigned)options->from, stalled = (unsigned)options->stall;
	struct trial trial = {.pps = fleet->settings->rate, .seconds = fleet->settings->seconds};
	struct outcome outcome;
	unsigned other;
	int code;

	if (stalled >= fleet->n_vms || stalled == from || from >= fleet->n_vms)
		return err_set(err, EINVAL, "congestion: --stall %u and --from %u must be two VMs",
			stalled, from);
	other = mode_congestion_other(fleet, from, stalled);
	trial.sends[from] = true;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		if (fleet->stations[i].vm->index == from)
			station_aim(&fleet->stations[i], fleet->vms[other], fleet->vms[stalled]);
	/* Frames alternate between two VMs, so the numbers of a flow have gaps at both. */
	fleet->traffic.sample = 0;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		station_tune(&fleet->stations[i]);
	code = fleet_prime(fleet, err);
	if (code == 0)
		code = mode_congestion_measure(&trial, fleet, stalled, other, result, err);
	outcome = report_outcome(fleet, fleet_count(fleet).rx_frames);
	/* Loss at the stalled VM is expected. */
	json_object_set_new(result, "stalled_lost", json_integer((json_int_t)outcome.lost));
	outcome.lost = (uint64_t)json_integer_value(json_object_get(result, "other_lost"));
	report_traffic(fleet, &outcome, result);
	return code;
}
