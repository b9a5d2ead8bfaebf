/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * learn: RFC 2889 sections 5.7 and 5.8. VM 0 shows addresses, VM 1 sends a frame to each of them,
 * and what arrives at VM 2 was flooded: that address was not learned.
 *
 * A switch cannot be told to forget, so every trial takes addresses that were not used before. The
 * rate comes first, with few addresses; then the capacity, with all that are left.
 */
#include <string.h>

#include "mode.h"
#include "report.h"
#include "tsc.h"

enum {
	LEARN_BATCH = 512,         /**< addresses of one trial of the rate */
	LEARN_PROBES = 1024,       /**< frames under way while probing or teaching slowly */
	LEARN_ADDRESSES = 1 << 20, /**< that there are at all */
	LEARN_ROUNDS = 12,
};

static const double LEARN_RATE_MAX = 20e6, LEARN_RATE_MIN = 1e3, LEARN_LIMIT = 60,
		    LEARN_QUIET = 0.1;

struct learn {
	uint32_t first, n; /**< the addresses of this trial */
	uint32_t done;     /**< shown or probed */
	bool probing;
	double per_tick; /**< addresses a tick, 0: as they are taken */
	uint64_t from;
	uint64_t flooded; /**< probes that arrived at VM 2 */
	uint64_t arrived; /**< frames at the station they are for */
};

static bool
learn_stage(struct learn *learn, struct station *station, const struct fleet *fleet)
{
	uint64_t base = station_mac(fleet->vms[0]->mac, 1);
	uint64_t mac = station_mac(base, learn->first + learn->done);
	uint8_t frame[FRAME_SIZE_MIN];
	struct net_header header = {0};
	struct frame_spec spec = {
		.src = learn->probing ? station->vm->mac : mac,
		.dst = learn->probing ? mac : fleet->vms[1]->mac,
		.flow = (uint16_t)station->flow,
		.vlan = station->traffic->vlan,
		.bytes = FRAME_SIZE_MIN - FRAME_FCS,
	};

	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_STILL, 0, 0, false);
	return station_stage(station, frame, spec.bytes, &header);
}

/** Show or probe some more addresses. */
static unsigned
learn_go_on(struct learn *learn, struct worker *worker, struct station *station)
{
	struct fleet *fleet = worker->fleet;
	uint64_t due = learn->n;

	if (learn->per_tick > 0)
		due = (uint64_t)((double)(worker->now - learn->from) * learn->per_tick);
	else if (learn->arrived + LEARN_PROBES < due)
		due = learn->arrived + LEARN_PROBES;
	while (learn->done < learn->n && learn->done < due &&
		station->staged < station->traffic->burst && learn_stage(learn, station, fleet))
		learn->done++;
	unsigned n = station->staged;
	station_flush(station);
	return n;
}

static unsigned
learn_step(struct worker *worker, void *context)
{
	struct learn *learn = context;
	struct fleet *fleet = worker->fleet;
	unsigned actor = learn->probing ? 1 : 0, moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned n = station_receive(station, station->rx->slots);

		if (station->vm->index == 1 - actor)
			learn->arrived += n;
		if (station->vm->index > 1)
			learn->flooded += n;
		moved += n;
		station->now = worker->now;
		if (station == fleet_station(fleet, actor))
			moved += learn_go_on(learn, worker, station);
	}
	if (tsc_seconds(worker->now - worker->idle_since) > LEARN_QUIET) {
		/* Lost frames would stop the window for ever. */
		if (learn->done == learn->n)
			fleet->deadline = 0;
		learn->arrived = learn->done;
	}
	return moved;
}

/** Show n new addresses at a rate and probe them. @return in *flooded how many were not learned */
static int
learn_trial(struct learn *learn, uint32_t n, double pps, struct fleet *fleet, uint64_t *flooded,
	struct err *err)
{
	int code;

	*learn = (struct learn){.first = learn->first + learn->n, .n = n};
	learn->per_tick = pps / (double)tsc_hz();
	learn->from = tsc_now();
	code = fleet_run(fleet, learn_step, learn, LEARN_LIMIT, err);
	learn->probing = true;
	learn->done = 0;
	learn->arrived = learn->flooded = 0;
	learn->per_tick = 0;
	if (code == 0)
		code = fleet_run(fleet, learn_step, learn, LEARN_LIMIT, err);
	*flooded = learn->flooded / (fleet->n_vms - 2);
	return code;
}

/** The highest rate at which all addresses of a batch are learned. */
static int
learn_rate(struct learn *learn, struct fleet *fleet, double *rate, struct err *err)
{
	double low = 0, high = LEARN_RATE_MAX, next = high;
	int code = 0;

	for (int i = 0; code == 0 && i < LEARN_ROUNDS && !fleet_interrupted; i++) {
		uint64_t flooded;

		code = learn_trial(learn, LEARN_BATCH, next, fleet, &flooded, err);
		if (flooded == 0)
			low = next;
		else
			high = next;
		if (low == high || high < LEARN_RATE_MIN)
			break;
		next = (low + high) / 2;
	}
	*rate = low;
	return code;
}

/** Show more and more addresses until some are not learned. */
static int
learn_capacity(struct learn *learn, struct fleet *fleet, uint64_t *capacity, bool *limited,
	struct err *err)
{
	uint32_t n = LEARN_BATCH;
	uint64_t flooded = 0;
	int code = 0;

	*capacity = learn->first + learn->n + fleet->n_vms;
	while (code == 0 && flooded == 0 && !fleet_interrupted &&
		learn->first + learn->n + n <= LEARN_ADDRESSES) {
		code = learn_trial(learn, n, 0, fleet, &flooded, err);
		*capacity += n - (flooded < n ? flooded : n);
		n *= 2;
	}
	*limited = flooded == 0;
	return code;
}

int
mode_learn(struct fleet *fleet, json_t *result, struct err *err)
{
	struct learn learn = {0};
	struct outcome outcome;
	uint64_t capacity = 0;
	double rate = 0;
	bool limited = false;
	int code;

	fleet->traffic.sample = 0;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		station_tune(&fleet->stations[i]);
	code = fleet_prime(fleet, err);
	if (code == 0)
		code = learn_rate(&learn, fleet, &rate, err);
	if (code == 0)
		code = learn_capacity(&learn, fleet, &capacity, &limited, err);
	outcome = report_outcome(fleet, 0);
	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "learning_rate", json_real(rate));
	json_object_set_new(result, "learning_rate_limited", json_boolean(rate == LEARN_RATE_MAX));
	json_object_set_new(result, "capacity", json_integer((json_int_t)capacity));
	json_object_set_new(result, "capacity_limited", json_boolean(limited));
	return code;
}
