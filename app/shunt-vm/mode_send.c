/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Modes send (one rate), ndr (throughput by RFC 2544 from one VM to another), broadcast (RFC 2889
 * section 5.6, to all others) and burst (RFC 9004).
 */
#include "mode.h"
#include "ndr.h"
#include "report.h"
#include "trial.h"

/** Set senders and destinations, and make the switch learn addresses. */
static int
mode_ready(struct trial *trial, struct fleet *fleet, struct err *err)
{
	*trial = (struct trial){.pps = fleet->settings->rate, .seconds = fleet->settings->seconds};
	if (fleet->settings->mode->flags & MODE_FLOOD)
		trial_aim_all(trial, fleet);
	else
		trial_aim(trial, fleet);
	return fleet_prime(fleet, err);
}

/** Add the counters and rates of a trial to the result. */
static void
mode_report(struct fleet *fleet, const struct trial_result *trial, json_t *result)
{
	struct outcome outcome =
		report_outcome(fleet, (uint64_t)(trial->received_pps * fleet->seconds));

	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "offered", json_integer((json_int_t)trial->offered));
}

int
mode_send(struct fleet *fleet, json_t *result, struct err *err)
{
	struct trial trial;
	struct trial_result done = {0};
	int code = mode_ready(&trial, fleet, err);

	trial.frames = (uint64_t)fleet->settings->options.count;
	if (code == 0)
		code = trial_run(&trial, fleet, &done, err);
	mode_report(fleet, &done, result);
	return code;
}

/** Convert frames per second of each sender to Mpps of all receivers together. */
static json_t *
mode_ndr_delivered(const struct trial *trial, const struct fleet *fleet, double pps)
{
	return json_real(pps * trial_senders(trial, fleet) * fleet->traffic.copies / 1e6);
}

int
mode_ndr(struct fleet *fleet, json_t *result, struct err *err)
{
	struct trial trial;
	struct trial_result done = {0};
	struct ndr ndr = {0};
	int code = mode_ready(&trial, fleet, err);

	trial.seconds = fleet->settings->trial;
	if (code == 0)
		code = ndr_measure(&ndr, &trial, fleet, err);
	/* Reported counters and latency come from one longer run at the NDR. */
	trial.pps = ndr.ndr;
	trial.seconds = fleet->settings->seconds;
	if (code == 0 && ndr.ndr > 0)
		code = trial_run(&trial, fleet, &done, err);
	mode_report(fleet, &done, result);
	json_object_set_new(result, "receivers", json_integer(fleet->traffic.copies));
	json_object_set_new(result, "ndr_mpps", mode_ndr_delivered(&trial, fleet, ndr.ndr));
	json_object_set_new(result, "pdr_mpps", mode_ndr_delivered(&trial, fleet, ndr.pdr));
	json_object_set_new(result, "mrr_mpps", json_real(ndr.mrr / 1e6));
	json_object_set_new(result, "mrr_loss", json_real(ndr.mrr_loss));
	json_object_set_new(result, "pdr_loss", json_real(fleet->settings->loss));
	json_object_set_new(result, "trials", json_integer(ndr.trials));
	return code;
}

/** Try a burst of given length; *passes is set if no frame was lost. */
static int
mode_burst_passes(bool *passes, uint64_t frames, const struct trial *base, struct fleet *fleet,
	struct trial_result *done, struct err *err)
{
	const double slowest = 1e5; /* frames per second, for the timeout */
	struct trial trial = *base;
	int code;

	trial.frames = frames;
	trial.seconds = 0.01 + (double)frames / slowest;
	if (trial.seconds > fleet->settings->seconds)
		trial.seconds = fleet->settings->seconds;
	code = trial_run(&trial, fleet, done, err);
	/* Each queue pair sends an equal part, rounded down. */
	*passes = code == 0 && done->sent + fleet->vms[0]->pairs > frames && trial_lost(done) == 0;
	return code;
}

int
mode_burst(struct fleet *fleet, json_t *result, struct err *err)
{
	const uint64_t most = 1 << 20;
	uint64_t low = 0, high = most, next = high;
	struct trial_result done = {0};
	struct trial trial;
	bool passes;
	int code = mode_ready(&trial, fleet, err);

	while (code == 0 && high - low > high / 100 && !fleet_interrupted) {
		code = mode_burst_passes(&passes, next, &trial, fleet, &done, err);
		if (passes)
			low = next;
		else
			high = next - 1;
		next = (low + high + 1) / 2;
	}
	mode_report(fleet, &done, result);
	json_object_set_new(result, "back_to_back_frames", json_integer((json_int_t)low));
	json_object_set_new(result, "back_to_back_limited", json_boolean(low == most));
	return code;
}
