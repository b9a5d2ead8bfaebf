/* SPDX-License-Identifier: BSD-3-Clause */
/* Trials: send at a rate for a given time, count what is received. */
#include "trial.h"

#include <stdatomic.h>
#include <string.h>

#include "base/tsc.h"

/** Short, since there are many trials; a frame that arrives later counts as lost. */
static const double TRIAL_QUIET = 0.2;

/** State of a running trial. */
struct trial_run {
	const struct trial *trial;
	double per_tick;        /**< frames per station and TSC tick */
	uint64_t limit;         /**< frames per station */
	atomic_uint unfinished; /**< sending stations below the limit */
	uint64_t from;
};

void
trial_aim(struct trial *trial, struct fleet *fleet)
{
	const struct settings_options *options = &fleet->settings->options;
	unsigned from = (unsigned)options->from, to = (unsigned)options->to;

	memset(trial->sends, 0, sizeof(trial->sends));
	trial->sends[from] = true;
	trial->sends[to] = options->both;
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *station = &fleet->stations[i];

		if (station->vm->index == from)
			station_aim(station, fleet->vms[to], NULL);
		if (station->vm->index == to)
			station_aim(station, fleet->vms[from], NULL);
	}
}

void
trial_aim_all(struct trial *trial, struct fleet *fleet)
{
	unsigned from = (unsigned)fleet->settings->options.from;

	memset(trial->sends, 0, sizeof(trial->sends));
	trial->sends[from] = true;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		if (fleet->stations[i].vm->index == from)
			station_aim_address(&fleet->stations[i], FRAME_BROADCAST);
	fleet->traffic.copies = fleet->n_vms - 1;
}

/** Send the frames that are due at a station. @return their number */
static unsigned
trial_send(struct station *station, const struct trial_run *run)
{
	unsigned burst = station->traffic->burst, n = burst, space;

	if (run->per_tick > 0) {
		double due = (double)(station->now - run->from) * run->per_tick -
			     (double)station->count.tx_frames;

		n = due < 0 ? 0 : due < burst ? (unsigned)due : burst;
	}
	if (n > run->limit - station->count.tx_frames)
		n = (unsigned)(run->limit - station->count.tx_frames);
	if (n == 0)
		return 0;
	space = station_space(station, n);
	n = n < space ? n : space;
	if (n > 0)
		station_send(station, n);
	return n;
}

/** Step: send what is due, and receive at all VMs that do not stall. */
static unsigned
trial_step(struct worker *worker, void *context)
{
	struct trial_run *run = context;
	unsigned moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned v = station->vm->index;

		station->now = worker->now;
		if (!run->trial->stalls[v])
			moved += station_receive(station, station->traffic->burst);
		if (run->trial->sends[v]) {
			unsigned n = trial_send(station, run);

			moved += n;
			if (n > 0 && station->count.tx_frames == run->limit)
				atomic_fetch_sub_explicit(
					&run->unfinished, 1, memory_order_relaxed);
		}
	}
	if (atomic_load_explicit(&run->unfinished, memory_order_relaxed) == 0)
		worker->fleet->deadline = 0;
	return moved;
}

unsigned
trial_senders(const struct trial *trial, const struct fleet *fleet)
{
	unsigned n = 0;

	for (unsigned v = 0; v < fleet->n_vms; v++)
		n += trial->sends[v];
	return n;
}

/** @return frames sent; with a rate the frames due, unless the shortfall is within a small slack */
static uint64_t
trial_offered(const struct trial *trial, const struct fleet *fleet, uint64_t sent)
{
	double due = trial->pps * fleet->seconds * trial_senders(trial, fleet);
	double slack = due * 1e-3 + trial->pps * 2e-3 + 2.0 * fleet->traffic.burst;

	return trial->pps > 0 && trial->frames == 0 && (double)sent + slack < due ? (uint64_t)due
										  : sent;
}

int
trial_run(const struct trial *trial, struct fleet *fleet, struct trial_result *result,
	struct err *err)
{
	struct trial_run run = {.trial = trial, .limit = UINT64_MAX};
	unsigned pairs = fleet->n_vms != 0 ? fleet->vms[0]->pairs : 1;
	struct station_counters count;
	int code;

	for (unsigned i = 0; i < fleet->n_stations; i++) {
		station_reset(&fleet->stations[i]);
		run.unfinished += trial->sends[fleet->stations[i].vm->index];
	}
	run.per_tick = trial->pps / (double)tsc_hz() / pairs;
	if (trial->frames != 0)
		run.limit = trial->frames / pairs;
	run.from = tsc_now();
	code = fleet_run(fleet, trial_step, &run, trial->seconds, err);
	count = fleet_count(fleet);
	*result = (struct trial_result){
		.sent = count.tx_frames,
		.offered = trial_offered(trial, fleet, count.tx_frames),
		.seconds = fleet->seconds,
		.sent_pps = (double)count.tx_frames / fleet->seconds,
		.received_pps = (double)count.rx_frames / fleet->seconds,
	};
	result->due = result->offered * fleet->traffic.copies;
	/* A stalled VM receives here: frames for it count as late, not as lost. */
	if (code == 0)
		code = fleet_drain(fleet, TRIAL_QUIET, err);
	count = fleet_count(fleet);
	result->received = count.rx_frames - count.foreign - count.stray;
	return code;
}

uint64_t
trial_lost(const struct trial_result *result)
{
	return result->due > result->received ? result->due - result->received : 0;
}

double
trial_loss(const struct trial_result *result)
{
	return result->due == 0 ? 0 : (double)trial_lost(result) / (double)result->due;
}
