/* SPDX-License-Identifier: BSD-3-Clause */
/* send: one rate; ndr: the rates that RFC 2544 asks for; burst: RFC 9004. */
#include "mode.h"
#include "ndr.h"
#include "report.h"
#include "trial.h"

/** Let the switch learn, then say who sends to whom. */
static int
mode_ready(struct trial *trial, struct fleet *fleet, struct err *err)
{
	int code;

	*trial = (struct trial){.pps = fleet->settings->rate, .seconds = fleet->settings->seconds};
	trial_aim(trial, fleet);
	code = fleet_prime(fleet, err);
	return code;
}

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

int
mode_ndr(struct fleet *fleet, json_t *result, struct err *err)
{
	unsigned senders = fleet->settings->options.both ? 2 : 1;
	struct trial trial;
	struct trial_result done = {0};
	struct ndr ndr = {0};
	int code = mode_ready(&trial, fleet, err);

	trial.seconds = fleet->settings->trial;
	if (code == 0)
		code = ndr_measure(&ndr, &trial, fleet, err);
	/* The counters reported are those of one longer run at the NDR. */
	trial.pps = ndr.ndr;
	trial.seconds = fleet->settings->seconds;
	if (code == 0 && ndr.ndr > 0)
		code = trial_run(&trial, fleet, &done, err);
	mode_report(fleet, &done, result);
	json_object_set_new(result, "ndr_mpps", json_real(ndr.ndr * senders / 1e6));
	json_object_set_new(result, "pdr_mpps", json_real(ndr.pdr * senders / 1e6));
	json_object_set_new(result, "mrr_mpps", json_real(ndr.mrr / 1e6));
	json_object_set_new(result, "mrr_loss", json_real(ndr.mrr_loss));
	json_object_set_new(result, "pdr_loss", json_real(fleet->settings->loss));
	json_object_set_new(result, "trials", json_integer(ndr.trials));
	return code;
}

/** Is a burst of that many frames absorbed? */
static int
burst_passes(bool *passes, uint64_t frames, const struct trial *base, struct fleet *fleet,
	struct err *err)
{
	const double slowest = 1e5; /* frames a second, to know when to give up */
	struct trial trial = *base;
	struct trial_result result;
	int code;

	trial.frames = frames;
	trial.seconds = 0.01 + (double)frames / slowest;
	if (trial.seconds > fleet->settings->seconds)
		trial.seconds = fleet->settings->seconds;
	code = trial_run(&trial, fleet, &result, err);
	*passes = code == 0 && result.received >= result.sent;
	return code;
}

int
mode_burst(struct fleet *fleet, json_t *result, struct err *err)
{
	uint64_t low = 0, high = 1 << 20, next = high;
	struct trial_result done = {0};
	struct trial trial;
	bool passes;
	int code = mode_ready(&trial, fleet, err);

	while (code == 0 && high - low > high / 100 && !fleet_interrupted) {
		code = burst_passes(&passes, next, &trial, fleet, err);
		if (passes)
			low = next;
		else
			high = next - 1;
		if (passes && low == high)
			break;
		next = (low + high + 1) / 2;
	}
	mode_report(fleet, &done, result);
	json_object_set_new(result, "back_to_back_frames", json_integer((json_int_t)low));
	json_object_set_new(result, "back_to_back_limited", json_boolean(low == 1 << 20));
	return code;
}
