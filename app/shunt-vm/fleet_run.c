/* SPDX-License-Identifier: BSD-3-Clause */
/* Worker threads: run steps, check back ends regularly, drain and prime. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "fleet.h"
#include "base/tsc.h"

enum { CHECKS_PER_SECOND = 2000, VMS_EVERY_CHECKS = 10, PRIME_WINDOW = 32 };

static const double DRAIN_COMPLETE = 0.01, PRIME_QUIET = 0.05;

/** Pin the thread of a worker to its CPU, if it has one. */
static void
fleet_worker_pin(const struct worker *worker)
{
	cpu_set_t set;

	if (worker->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)worker->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

/**
 * Check whether the run of the workers is over. A signal does not end draining: frames in flight would
 * count as lost.
 */
static bool
fleet_is_over(const struct fleet *fleet)
{
	return fleet->stop || (fleet_interrupted && !fleet->draining);
}

/** Reconnect after the back end has closed, as a driver that resets its device. */
static int
fleet_worker_reconnect(struct worker *worker, struct vm *vm)
{
	int code = -ETIMEDOUT;

	if (worker->lost_at == 0)
		worker->lost_at = tsc_now();
	vm_disconnect(vm);
	while (code != 0 && !fleet_is_over(worker->fleet) && tsc_now() < worker->fleet->deadline) {
		vm->timeout = 0.2;
		code = vm_connect(vm, &worker->err);
		if (code != 0 && vm->sock >= 0) {
			close(vm->sock);
			vm->sock = -1;
		}
	}
	vm->timeout = worker->fleet->settings->timeout;
	if (code != 0)
		return code;
	worker->err = (struct err){0};
	worker->reconnected++;
	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];

		if (station->vm != vm)
			continue;
		queue_post(station->rx, queue_space(station->rx));
		queue_kick(station->rx);
		queue_kick(station->tx);
		station->credit = station->share; /* frames in circulation are lost */
	}
	return 0;
}

/** Check the rings and the connection of a VM. @return 0; negative errno, reason in worker->err */
static int
fleet_worker_check_vm(struct worker *worker, struct vm *vm)
{
	if (vm->hostile)
		return 0;
	for (unsigned ring = 0; ring < 2 * vm->pairs; ring++)
		if (vm->queues[ring].broken)
			return err_set(&worker->err, EPROTO,
				"%s: ring %u: the back end completed what was not posted",
				vm->config.socket, ring);
	if (vm->sock < 0 || !connection_closed(vm->sock))
		return 0;
	if (worker->fleet->settings->options.reconnect)
		return fleet_worker_reconnect(worker, vm);
	return err_set(&worker->err, ECONNRESET, "%s: the back end closed the connection",
		vm->config.socket);
}

/** Check all VMs of a worker. @return 0; negative errno with the reason in worker->err */
static int
fleet_worker_check(struct worker *worker)
{
	int code = 0;

	for (unsigned i = 0; code == 0 && i < worker->n_stations; i++)
		if (worker->stations[i]->pair == 0)
			code = fleet_worker_check_vm(worker, worker->stations[i]->vm);
	return code;
}

/** Record that a step had frames: the time, and the end of an outage. */
static void
fleet_worker_set_active(struct worker *worker)
{
	worker->idle_since = worker->now;
	if (worker->lost_at != 0) {
		double outage = tsc_seconds(worker->now - worker->lost_at);

		worker->outage = outage > worker->outage ? outage : worker->outage;
		worker->lost_at = 0;
	}
}

/** Thread of a worker: run steps, and check the VMs regularly. */
static void *
fleet_worker_main(void *argument)
{
	struct worker *worker = argument;
	struct fleet *fleet = worker->fleet;
	uint64_t check_every = tsc_hz() / CHECKS_PER_SECOND, check_at, before;
	unsigned checks = 0;

	fleet_worker_pin(worker);
	worker->now = worker->idle_since = tsc_now();
	check_at = worker->now + check_every;
	while (!fleet_is_over(fleet)) {
		unsigned moved = worker->step(worker, worker->context);

		before = worker->now;
		worker->now = tsc_now();
		if (moved != 0) {
			worker->busy += worker->now - before;
			fleet_worker_set_active(worker);
		} else {
			worker->idle += worker->now - before;
			_mm_pause();
		}
		if (worker->now < check_at)
			continue;
		check_at = worker->now + check_every;
		if (worker->now >= fleet->deadline)
			break;
		if (++checks % VMS_EVERY_CHECKS == 0 && fleet_worker_check(worker) != 0)
			break;
	}
	if (worker->err.code != 0)
		fleet->stop = true;
	return NULL;
}

/** Set whether a worker is done. When all workers are, the run ends. */
static void
fleet_worker_set_done(struct worker *worker, bool done)
{
	struct fleet *fleet = worker->fleet;
	bool all = true;

	atomic_store_explicit(&worker->done, done, memory_order_relaxed);
	for (unsigned i = 0; i < fleet->n_workers; i++)
		all &= atomic_load_explicit(&fleet->workers[i].done, memory_order_relaxed);
	if (all)
		fleet->deadline = 0;
}

/** Start the threads of all workers. */
static int
fleet_start_workers(struct fleet *fleet, fleet_step step, void *context, struct err *err)
{
	for (unsigned i = 0; i < fleet->n_workers; i++)
		fleet->workers[i].done = false;
	for (unsigned i = 0; i < fleet->n_workers; i++) {
		struct worker *worker = &fleet->workers[i];

		worker->step = step;
		worker->context = context;
		worker->busy = worker->idle = 0;
		worker->err = (struct err){0};
		int code = pthread_create(&worker->thread, NULL, fleet_worker_main, worker);
		worker->started = code == 0;
		if (code != 0) {
			fleet->stop = true;
			return err_set(err, code, "no thread: %s", strerror(code));
		}
	}
	return 0;
}

int
fleet_run(struct fleet *fleet, fleet_step step, void *context, double seconds, struct err *err)
{
	uint64_t from = tsc_now();
	int code;

	fleet->stop = false;
	fleet->deadline = from + tsc_of(seconds);
	code = fleet_start_workers(fleet, step, context, err);
	for (unsigned i = 0; i < fleet->n_workers; i++) {
		struct worker *worker = &fleet->workers[i];

		if (worker->started)
			pthread_join(worker->thread, NULL);
		worker->started = false;
		if (code == 0 && worker->err.code != 0) {
			*err = worker->err;
			code = err->code;
		}
	}
	fleet->seconds = tsc_seconds(tsc_now() - from);
	return code;
}

/**
 * Compare frames sent and received. Frames flooded to other VMs in addition do not count. Counters
 * of other workers may lag.
 *
 * @return true if all frames sent have arrived
 */
static bool
fleet_is_complete(const struct fleet *fleet)
{
	struct station_counters count = fleet_count(fleet);

	return count.rx_frames - count.foreign - count.stray >=
	       count.tx_frames * fleet->traffic.copies;
}

/**
 * Consume the send completions of a worker.
 *
 * @param left receives the number of buffers in flight
 * @return number of completions
 */
static unsigned
fleet_worker_reap(struct worker *worker, unsigned *left)
{
	unsigned reaped = 0;

	*left = 0;
	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned flight = queue_flight(station->tx);

		station_space(station, UINT16_MAX);
		reaped += flight - queue_flight(station->tx);
		*left += queue_flight(station->tx);
	}
	return reaped;
}

/**
 * Step: receive until all frames have arrived, or none arrive any more. As long as the back end has
 * not taken all frames sent it does not run, and the absence of frames proves no loss.
 */
static unsigned
fleet_step_drain(struct worker *worker, void *context)
{
	double quiet = *(const double *)context, silence;
	unsigned left, moved = fleet_worker_reap(worker, &left);

	for (unsigned i = 0; i < worker->n_stations; i++) {
		worker->stations[i]->now = worker->now;
		moved += station_receive(worker->stations[i], worker->stations[i]->rx->slots);
	}
	silence = tsc_seconds(worker->now - worker->idle_since);
	fleet_worker_set_done(worker,
		moved == 0 &&
			((left == 0 && silence > quiet) ||
				(silence > DRAIN_COMPLETE && fleet_is_complete(worker->fleet))));
	return moved;
}

int
fleet_drain(struct fleet *fleet, double quiet, struct err *err)
{
	double seconds = fleet->seconds;
	uint64_t busy[SETTINGS_CPUS_MAX], idle[SETTINGS_CPUS_MAX];
	int code;

	/* Draining is not part of the measurement. */
	for (unsigned i = 0; i < fleet->n_workers; i++) {
		busy[i] = fleet->workers[i].busy;
		idle[i] = fleet->workers[i].idle;
	}
	fleet->draining = true;
	code = fleet_run(fleet, fleet_step_drain, &quiet, quiet + fleet->settings->timeout, err);
	fleet->draining = false;
	for (unsigned i = 0; i < fleet->n_workers; i++) {
		fleet->workers[i].busy = busy[i];
		fleet->workers[i].idle = idle[i];
	}
	fleet->seconds = seconds;
	return code;
}

/** Progress of priming: number of addresses announced, by VM. */
struct prime {
	uint32_t macs;
	unsigned sent[SETTINGS_VMS_MAX];
};

/** Stage a frame from address k of the station's VM: broadcast for k = 0, else to its target. */
static bool
fleet_prime_announce(struct station *station, uint32_t k)
{
	uint8_t frame[FRAME_SIZE_MIN];
	struct net_header header = {0};
	struct frame_spec spec = {
		.dst = k == 0 ? FRAME_BROADCAST : station->target_mac,
		.src = station_mac(station->vm->mac, k),
		.flow = (uint16_t)station->flow,
		.vlan = station->traffic->vlan,
		.bytes = FRAME_SIZE_MIN - FRAME_FCS,
	};

	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_STILL, 0, 0, false);
	return station_stage(station, frame, spec.bytes, &header);
}

/** Step: announce the addresses of VMs, and receive until no more frames arrive. */
static unsigned
fleet_step_prime(struct worker *worker, void *context)
{
	struct prime *prime = context;
	unsigned left, moved = fleet_worker_reap(worker, &left);
	bool done = true;
	double silence;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned *sent = &prime->sent[station->vm->index];

		moved += station_receive(station, station->rx->slots);
		if (station->pair != 0 || *sent >= prime->macs)
			continue;
		/* Few enough for the switch to buffer: an address that is lost is flooded later. */
		while (queue_flight(station->tx) + station->staged < PRIME_WINDOW &&
			*sent < prime->macs && fleet_prime_announce(station, *sent))
			++*sent;
		moved += station->staged;
		station_flush(station, station->staged);
		done = false;
	}
	/* A port may come up late; one that takes no frames must not stop the other VMs. */
	silence = tsc_seconds(worker->now - worker->idle_since);
	fleet_worker_set_done(worker,
		moved == 0 && silence > (done && left == 0 ? PRIME_QUIET
							   : worker->fleet->settings->timeout));
	return moved;
}

int
fleet_prime(struct fleet *fleet, struct err *err)
{
	struct prime prime = {.macs = 1};
	double limit = 30 + fleet->settings->timeout + fleet->traffic.macs * 1e-4;
	int code = fleet_run(fleet, fleet_step_prime, &prime, limit, err);

	/* The first address of every VM is known now: further announcements are unicast. */
	prime.macs = fleet->traffic.macs;
	if (code == 0 && prime.macs > 1)
		code = fleet_run(fleet, fleet_step_prime, &prime, limit, err);
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		station_fill(&fleet->stations[i]);
		station_reset(&fleet->stations[i]);
	}
	return code;
}
