/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All VMs of a run, their stations, and the worker threads that run them.
 *
 * VM i belongs to worker i % n_workers. In fleet_run() every worker calls the step function of the
 * mode for its stations repeatedly until the time is over, a signal arrives, a step ends the run
 * (deadline 0), or a VM fails. Some hundred times per second a worker also checks rings and
 * connections of its VMs, and reconnects with --reconnect.
 *
 * Thread safety: all functions run on the main thread while no worker runs; steps run on workers.
 * Any thread may set `stop`.
 */
#ifndef SHUNT_VM_FLEET_H
#define SHUNT_VM_FLEET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "settings.h"
#include "station.h"
#include "vm.h"

struct fleet;
struct worker;

/** Step of a mode, called repeatedly on a worker. @return frames received and sent; 0: idle */
typedef unsigned (*fleet_step)(struct worker *worker, void *context);

struct worker {
	struct fleet *fleet;
	int cpu; /**< -1: not pinned */
	unsigned n_stations;
	struct station **stations;
	uint64_t now;        /**< TSC at the start of the step */
	uint64_t busy, idle; /**< TSC ticks of steps with and without frames */
	uint64_t idle_since; /**< TSC of the last step with frames */
	struct err err;
	unsigned reconnected; /**< number of reconnections */
	double outage;        /**< longest time from a lost connection to the next frame, s */
	uint64_t lost_at;     /**< TSC of a lost connection, 0: none since the last frame */
	bool started;
	atomic_bool done; /**< no frames outstanding; written by its worker, read by all */
	pthread_t thread;
	fleet_step step;
	void *context;
};

struct fleet {
	const struct settings *settings;
	struct traffic traffic;
	unsigned n_vms, n_stations, n_workers;
	struct vm **vms;
	struct station *stations; /**< those of VM 0 first */
	struct flow **flows;      /**< by VM */
	struct worker *workers;
	uint64_t deadline; /**< TSC at which the run ends */
	double seconds;    /**< duration of the last run */
	atomic_bool stop;  /**< ends the run; written by any thread */
	bool draining;     /**< signals do not end the run; written while no worker runs */
};

/** Set by SIGINT and SIGTERM: the run ends, results are reported. */
extern atomic_bool fleet_interrupted;

/**
 * Create all VMs and connect them.
 *
 * @return 0; negative errno with the reason and the VM's socket in err. The caller calls
 *         fleet_close() in either case.
 */
int fleet_open(struct fleet *fleet, const struct settings *settings, struct err *err);

/** As fleet_open(), without connections; for the ceiling. */
int fleet_open_unconnected(struct fleet *fleet, const struct settings *settings, struct err *err);

/** Close all connections and release everything; safe on a zeroed fleet. */
void fleet_close(struct fleet *fleet);

/** Run a step function on all workers for some seconds. @return 0; negative errno, reason in err */
int fleet_run(struct fleet *fleet, fleet_step step, void *context, double seconds, struct err *err);

/**
 * Receive without sending until all frames sent have arrived, or until `quiet` seconds have passed
 * without a frame after the back end has taken all. While it has not, the timeout applies.
 */
int fleet_drain(struct fleet *fleet, double quiet, struct err *err);

/**
 * Make the switch learn all addresses: each VM sends one frame from each of its addresses. All
 * frames are received, counters are reset and stations are filled again.
 */
int fleet_prime(struct fleet *fleet, struct err *err);

/** @return the sum of the counters of all stations */
struct station_counters fleet_count(const struct fleet *fleet);

/** Get the share of the workers' time in steps with frames, and TSC ticks per frame. */
void fleet_effort(const struct fleet *fleet, double *share, double *cycles_per_frame);

/** @return the first station of a VM */
struct station *fleet_station(const struct fleet *fleet, unsigned vm);

#endif
