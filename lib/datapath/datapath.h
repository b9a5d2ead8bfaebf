/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data path: polling lcores that forward frames by the snapshot control last published.
 *
 * Thread safety: control thread only, but for datapath_quiesce() and datapath_wake(), which any
 * thread that is not a polling lcore may call.
 */
#ifndef SHUNT_DATAPATH_DATAPATH_H
#define SHUNT_DATAPATH_DATAPATH_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "port/counters.h"

struct datapath;
struct fdb;
struct port_driver;
struct snapshot;

enum {
	DATAPATH_SLOT_MAX = 4096,   /**< receive queues at once */
	DATAPATH_BURST_BUCKETS = 6, /**< up to 1, 2, 4, ... 32 frames */
	DATAPATH_LOOP_BUCKETS = 12, /**< up to 1/2^20, 1/2^19, ... 1/2^10 s, and longer */
};

#define DATAPATH_LOOP_FIRST (1.0 / (1 << 20)) /**< s, the bound of the first bucket of rounds */

/** What an lcore did, or one queue cost it. */
struct datapath_load {
	uint64_t busy_cycles; /**< TSC cycles of polls that found frames, forwarding included */
	uint64_t idle_cycles; /**< TSC cycles of polls that found none; 0 for a queue */
	uint64_t packets;
};

/** How the rounds of an lcore went. */
struct datapath_rounds {
	uint64_t burst[DATAPATH_BURST_BUCKETS]; /**< polls that found frames, by how many */
	uint64_t loop[DATAPATH_LOOP_BUCKETS];   /**< rounds by how long they took */
	uint64_t loop_cycles;                   /**< TSC cycles of all of them */
};

/**
 * @param fdb outlives the data path, as does `drivers`
 * @param drivers all that ports may have, ended by NULL
 * @return NULL with errno set
 */
struct datapath *datapath_create(struct fdb *fdb, const struct port_driver *const drivers[]);

/** Stop all lanes and free everything. */
void datapath_destroy(struct datapath *datapath);

/**
 * Start a polling thread pinned to a CPU.
 *
 * @return its lane, from 0; negative errno with the reason: -EBUSY when all lanes are in use
 */
int datapath_start(struct datapath *datapath, unsigned cpu, struct err *err);

/** Stop the thread of a lane. No queue may be polled by it any more. */
void datapath_stop(struct datapath *datapath, int lane);

/**
 * Publish a snapshot and wait until no lane uses the one before, which is freed.
 *
 * @param snapshot from snapshot_build(); the data path owns it from here on
 */
void datapath_publish(struct datapath *datapath, struct snapshot *snapshot);

/** What is published; until the next datapath_publish(). */
const struct snapshot *datapath_snapshot(const struct datapath *datapath);

/** Have every lane poll the queues that it only watches. Takes no lock. */
void datapath_wake(struct datapath *datapath);

/** Return once every lane has passed a point where it holds nothing from before the call. */
void datapath_quiesce(struct datapath *datapath);

/** Count frames that waited for a port, and were dropped by control in the end. */
void datapath_late(
	struct datapath *datapath, uint16_t port, enum drop_reason reason, unsigned frames);

/** Sum of a port's counters over all lanes since the data path was created. */
void datapath_counters(const struct datapath *datapath, uint16_t port, struct counters *sum);

/** Sum of the counters of all ports, those that are gone included. */
void datapath_totals(const struct datapath *datapath, struct counters *sum);

/** What a running lane did since it was started. */
void datapath_lane_load(const struct datapath *datapath, int lane, struct datapath_load *load);

/** How the rounds of a running lane went since it was started. */
void datapath_lane_rounds(
	const struct datapath *datapath, int lane, struct datapath_rounds *rounds);

/** What the queue of a slot cost on all lanes, ever. */
void datapath_slot_load(const struct datapath *datapath, uint16_t slot, struct datapath_load *load);

/** Is this thread a polling one? For topology_confine(); arg is the data path. */
bool datapath_owns_thread(pid_t tid, void *arg);

#endif
