/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All VMs of a run, their stations, and the workers that step them.
 *
 * A worker is a thread; VM i belongs to worker i % workers. fleet_run() lets every worker call a
 * mode's step for its stations again and again, until the time is over, a signal came, the step
 * says so, or a VM failed. Some thousand times a second a worker also looks whether back ends are
 * still there, and connects again where that was asked for.
 *
 * Thread safety: everything but the steps runs on the main thread while no worker runs. `stop` may
 * be set by any.
 */
#ifndef SHUNT_VM_FLEET_H
#define SHUNT_VM_FLEET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "settings.h"
#include "station.h"
#include "vm.h"

struct fleet;
struct worker;

/** @return how many frames were moved; 0 is idle */
typedef unsigned (*fleet_step)(struct worker *worker, void *context);

struct worker {
	struct fleet *fleet;
	int cpu; /**< -1: not pinned */
	unsigned n_stations;
	struct station **stations;
	uint64_t now;        /**< TSC before this step */
	uint64_t busy, idle; /**< ticks of steps that moved frames, and of others */
	uint64_t idle_since; /**< TSC when frames were last moved */
	struct err err;
	unsigned reconnected; /**< VMs whose back end came back */
	double outage;        /**< longest seconds from a lost back end to the next frame */
	uint64_t sigbus_at;   /**< TSC when a back end was lost, 0: none since the last frame */
	bool started;
	bool settled; /**< waits for nothing more; atomic, written by the worker, read by all */
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
	struct flow **flows;      /**< of each VM */
	struct worker *workers;
	uint64_t deadline;  /**< TSC when the run ends */
	double seconds;     /**< that the last run took */
	volatile bool stop; /**< ends the run; written by anyone */
	bool draining;      /**< a signal does not end the run; written while no worker runs */
};

/** Set by SIGINT and SIGTERM: end the run, report. */
extern volatile bool fleet_interrupted;

/**
 * Make all VMs and connect them.
 *
 * @return 0; negative errno with one line about the VM that failed. fleet_close() in any case.
 */
int fleet_open(struct fleet *fleet, const struct settings *settings, struct err *err);

/** Make VMs that nobody connects, for the ceiling. */
int fleet_open_apart(struct fleet *fleet, const struct settings *settings, struct err *err);

void fleet_close(struct fleet *fleet);

/** Run steps for some seconds. @return 0; what failed */
int fleet_run(struct fleet *fleet, fleet_step step, void *context, double seconds, struct err *err);

/**
 * Receive without sending until everything came, or nothing has for `quiet` seconds after the back
 * end took all; as long as it does not, until the timeout.
 */
int fleet_drain(struct fleet *fleet, double quiet, struct err *err);

/**
 * Let the switch learn where all addresses are: each VM sends from each of its addresses, then
 * everything is received and forgotten, and stations are filled again.
 */
int fleet_prime(struct fleet *fleet, struct err *err);

/** Add up the counters of all stations. */
struct station_counters fleet_count(const struct fleet *fleet);

/** Share of the workers' time that moved frames, and ticks for each frame moved. */
void fleet_effort(const struct fleet *fleet, double *share, double *cycles_per_frame);

/** The first station of a VM. */
struct station *fleet_station(const struct fleet *fleet, unsigned vm);

#endif
