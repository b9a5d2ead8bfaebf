/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mode learn: RFC 2889 sections 5.7 and 5.8. VM 0 announces addresses by sending frames from them,
 * then VM 1 probes them: it sends a frame to each. A probe that arrives at VM 2 was flooded, so its
 * address was not learned.
 *
 * The FDB of the switch cannot be flushed from here, so every trial uses new addresses. The
 * learning rate is measured first, with few addresses, then the capacity with the remaining ones.
 *
 * The learning rate is the rate at which frames arrive at VM 1 while each has a new source address.
 * The frames are built before the time measurement starts. The first trials post them all at once
 * and the back end takes them at its own rate; lower rates follow only when it did not learn all.
 */
#include <math.h>
#include <string.h>

#include "mode.h"
#include "report.h"
#include "base/tsc.h"

enum {
	LEARN_BATCH = 1024,  /**< addresses of one trial of the rate, if the ring holds them */
	LEARN_FIRST = 512,   /**< addresses of the first trial of the capacity */
	LEARN_WINDOW = 1024, /**< frames in flight while probing, or announcing for the capacity */
	LEARN_ADDRESSES = 1 << 20, /**< limit of addresses of all trials */
	LEARN_TRIES = 3,           /**< trials of a rate: load of the machine may spoil some */
	LEARN_ROUNDS = 12,
	LEARN_SPOILT = 16, /**< one address in this number may be missed while the FDB has space */
};

static const double LEARN_RATE_MIN = 1e3, LEARN_PRECISION = 0.02, LEARN_LIMIT = 60,
		    LEARN_QUIET = 0.1;

struct learn {
	uint32_t first, n; /**< addresses of this trial */
	uint32_t done;     /**< announced or probed */
	bool probing;
	double per_tick;      /**< addresses per TSC tick, 0: all at once */
	uint64_t from, until; /**< TSC when the first was announced, when the last one arrived */
	uint64_t arrived;     /**< frames received at their destination */
	uint64_t lost;        /**< frames considered lost after LEARN_QUIET without frames */
	uint64_t flooded;     /**< frames at VMs 2 and later */
	uint64_t known;       /**< addresses learned in all trials */
};

struct learn_result {
	bool complete; /**< all arrived and none was flooded */
	double pps;    /**< addresses per second */
};

/**
 * Stage the next frame: from a new address, or to it while probing.
 *
 * @return false: no free buffer
 */
static bool
mode_learn_stage(struct learn *learn, struct station *station, const struct fleet *fleet)
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
	if (!station_stage(station, frame, spec.bytes, &header))
		return false;
	learn->done++;
	return true;
}

/**
 * Check for silence after the last frame. A back end that has not taken all frames sent does not
 * run, and the absence of frames proves no loss.
 *
 * @return true if frames that have not arrived are lost
 */
static bool
mode_learn_is_silent(const struct worker *worker, const struct station *sender)
{
	return sender->staged == 0 && queue_flight(sender->tx) == 0 &&
	       tsc_seconds(worker->now - worker->idle_since) > LEARN_QUIET;
}

/** Receive at all VMs; end the trial when all was sent and no more arrives. @return frames */
static unsigned
mode_learn_receive(struct learn *learn, struct worker *worker, struct station *sender)
{
	unsigned receiver = learn->probing ? 0 : 1, moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned n = station_receive(station, station->rx->slots);

		if (n > 0 && station->vm->index == receiver) {
			learn->arrived += n;
			learn->until = tsc_now();
		}
		if (station->vm->index > 1)
			learn->flooded += n;
		moved += n;
		station->now = worker->now;
	}
	station_space(sender, UINT16_MAX);
	if (moved == 0 && mode_learn_is_silent(worker, sender)) {
		learn->lost = learn->done - learn->arrived;
		if (learn->done == learn->n)
			worker->fleet->deadline = 0;
	}
	return moved;
}

/** Step: announce or probe addresses, few enough in flight not to be lost. */
static unsigned
mode_learn_step_window(struct worker *worker, void *context)
{
	struct learn *learn = context;
	struct fleet *fleet = worker->fleet;
	struct station *station = fleet_station(fleet, learn->probing ? 1 : 0);
	unsigned n = mode_learn_receive(learn, worker, station);

	while (learn->done < learn->n && station->staged < station->traffic->burst &&
		learn->done < learn->arrived + learn->lost + LEARN_WINDOW &&
		mode_learn_stage(learn, station, fleet))
		n++;
	station_flush(station, station->staged);
	return n;
}

/** Step: announce the staged addresses at the rate. */
static unsigned
mode_learn_step_rate(struct worker *worker, void *context)
{
	struct learn *learn = context;
	struct station *station = fleet_station(worker->fleet, 0);
	uint64_t now = tsc_now(), due = learn->n;
	unsigned n;

	if (learn->from == 0)
		learn->from = now;
	if (learn->per_tick > 0)
		due = 1 + (uint64_t)((double)(now - learn->from) * learn->per_tick);
	n = (unsigned)((due < learn->n ? due : learn->n) - learn->done);
	station_flush(station, n);
	learn->done += n;
	n += mode_learn_receive(learn, worker, station);
	if (learn->arrived >= learn->n)
		worker->fleet->deadline = 0;
	return n;
}

/** Start a trial with the n addresses after those of the last one. */
static void
mode_learn_begin(struct learn *learn, uint32_t n)
{
	*learn = (struct learn){.first = learn->first + learn->n, .n = n, .known = learn->known};
}

/**
 * Probe the addresses of this trial. A flooded probe arrives at VM 0 too; a probe that does not
 * arrive there is not evaluated.
 *
 * @param flooded receives the number of addresses not learned
 * @return 0; negative errno with the reason in err
 */
static int
mode_learn_probe(struct learn *learn, struct fleet *fleet, uint64_t *flooded, struct err *err)
{
	int code;

	learn->probing = true;
	learn->done = 0;
	learn->arrived = learn->lost = learn->flooded = 0;
	code = fleet_run(fleet, mode_learn_step_window, learn, LEARN_LIMIT, err);
	*flooded = learn->flooded / (fleet->n_vms - 2);
	*flooded = *flooded < learn->arrived ? *flooded : learn->arrived;
	learn->known += learn->arrived - *flooded;
	return code;
}

/** Announce a batch of new addresses at a rate (0: all at once) and probe them. */
static int
mode_learn_try(struct learn *learn, double pps, struct fleet *fleet, struct learn_result *seen,
	struct err *err)
{
	struct station *station = fleet_station(fleet, 0);
	unsigned space = station_space(station, station->tx->slots);
	uint64_t flooded;
	int code;

	mode_learn_begin(learn, space < LEARN_BATCH ? space : LEARN_BATCH);
	learn->per_tick = pps / (double)tsc_hz();
	while (learn->done < learn->n && mode_learn_stage(learn, station, fleet))
		;
	learn->done = 0;
	code = fleet_run(fleet, mode_learn_step_rate, learn, LEARN_LIMIT, err);
	seen->complete = learn->arrived == learn->n;
	seen->pps = learn->until > learn->from
			    ? (double)learn->arrived / tsc_seconds(learn->until - learn->from)
			    : 0;
	if (code == 0)
		code = mode_learn_probe(learn, fleet, &flooded, err);
	seen->complete &= code == 0 && flooded == 0;
	return code;
}

/**
 * Try a rate.
 *
 * @param best raised to the highest rate at which all addresses were learned
 * @param most raised to the highest rate of any trial
 * @return 1 if all were learned in one of the tries, else 0; negative errno
 */
static int
mode_learn_passes(struct learn *learn, double pps, struct fleet *fleet, double *best, double *most,
	struct err *err)
{
	bool passes = false;
	int code = 0;

	for (int i = 0; code == 0 && i < LEARN_TRIES && !fleet_interrupted; i++) {
		struct learn_result seen;

		code = mode_learn_try(learn, pps, fleet, &seen, err);
		passes |= seen.complete;
		if (seen.complete && seen.pps > *best)
			*best = seen.pps;
		if (seen.pps > *most)
			*most = seen.pps;
		if (passes && pps > 0)
			break;
	}
	return code != 0 ? code : passes;
}

/** Find the highest rate at which all addresses of a batch are learned. */
static int
mode_learn_rate(struct learn *learn, struct fleet *fleet, double *rate, struct err *err)
{
	double low = LEARN_RATE_MIN, high = 0, most = 0;
	int code = mode_learn_passes(learn, 0, fleet, rate, &high, err);

	if (code != 0)
		return code < 0 ? code : 0;
	for (int i = 0; code >= 0 && low < high * (1 - LEARN_PRECISION) && i < LEARN_ROUNDS &&
			!fleet_interrupted;
		i++) {
		double next = sqrt(low * high);

		code = mode_learn_passes(learn, next, fleet, rate, &most, err);
		if (code > 0)
			low = next;
		else
			high = next;
	}
	return code < 0 ? code : 0;
}

/**
 * Announce addresses in growing numbers until the FDB is full. A busy switch may miss a few before;
 * trials grow so that a full FDB differs clearly.
 */
static int
mode_learn_capacity(struct learn *learn, struct fleet *fleet, bool *limited, struct err *err)
{
	bool full = false;
	uint64_t flooded = 0;
	int code = 0;

	for (uint32_t n = LEARN_FIRST; code == 0 && !full && !fleet_interrupted &&
				       learn->first + learn->n + n <= LEARN_ADDRESSES;
		n *= 2) {
		mode_learn_begin(learn, n);
		code = fleet_run(fleet, mode_learn_step_window, learn, LEARN_LIMIT, err);
		if (code == 0)
			code = mode_learn_probe(learn, fleet, &flooded, err);
		full = flooded > n / LEARN_SPOILT;
	}
	*limited = !full;
	return code;
}

int
mode_learn(struct fleet *fleet, json_t *result, struct err *err)
{
	struct learn learn = {.known = fleet->n_vms};
	struct outcome outcome;
	double rate = 0;
	bool limited = false;
	int code;

	fleet->traffic.sample = 0;
	for (unsigned i = 0; i < fleet->n_stations; i++)
		station_tune(&fleet->stations[i]);
	code = fleet_prime(fleet, err);
	if (code == 0)
		code = mode_learn_rate(&learn, fleet, &rate, err);
	if (code == 0)
		code = mode_learn_capacity(&learn, fleet, &limited, err);
	outcome = report_outcome(fleet, 0);
	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "learning_rate", json_real(rate));
	json_object_set_new(result, "capacity", json_integer((json_int_t)learn.known));
	json_object_set_new(result, "capacity_limited", json_boolean(limited));
	return code;
}
