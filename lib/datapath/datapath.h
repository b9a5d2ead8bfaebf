/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The data path: polling lcores that forward frames by the last published snapshot.
 *
 * Thread safety: control thread only, except datapath_quiesce() and datapath_wake(), which any
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
	DATAPATH_SLOT_MAX = 4096,   /**< rx queues at a time */
	DATAPATH_BURST_BUCKETS = 6, /**< up to 1, 2, 4, ... 32 frames */
	DATAPATH_LOOP_BUCKETS = 12, /**< up to 1/2^20, 1/2^19, ... 1/2^10 s, and longer */
};

#define DATAPATH_LOOP_FIRST (1.0 / (1 << 20)) /**< s, upper bound of the first bucket of rounds */

/** Load of an lcore, or of one rx queue. */
struct datapath_load {
	uint64_t busy_cycles; /**< TSC cycles of polls that found frames, forwarding included */
	uint64_t idle_cycles; /**< TSC cycles of polls that found none; 0 for a queue */
	uint64_t packets;     /**< frames received */
};

/** Histograms of the poll-loop iterations ("rounds") of an lcore. */
struct datapath_poll_stats {
	uint64_t burst[DATAPATH_BURST_BUCKETS]; /**< polls that found frames, by number of frames */
	uint64_t loop[DATAPATH_LOOP_BUCKETS];   /**< rounds, by duration */
	uint64_t loop_cycles;                   /**< TSC cycles of all rounds */
};

/**
 * Create a data path without lcores and ports.
 *
 * @param fdb must outlive the data path, as must `drivers`
 * @param drivers all port drivers, terminated by NULL
 * @return NULL with errno set
 */
struct datapath *datapath_create(struct fdb *fdb, const struct port_driver *const drivers[]);

/** Stop all lcores and free the data path with its snapshot. NULL is ignored. */
void datapath_destroy(struct datapath *datapath);

/**
 * Start a polling thread pinned to a CPU.
 *
 * @param cpu CPU number
 * @return lcore id from 0, below LCORE_MAX; negative errno with the reason in err: -EBUSY when all
 *         lcores are in use
 */
int datapath_start(struct datapath *datapath, unsigned cpu, struct err *err);

/**
 * Stop and join the thread of an lcore. The published snapshot must give it no queue to poll.
 *
 * @param lcore_id from datapath_start()
 */
void datapath_stop(struct datapath *datapath, int lcore_id);

/**
 * Publish a snapshot, wait until no lcore uses the previous one, and free that.
 *
 * @param snapshot from snapshot_build(); owned by the data path from now on
 */
void datapath_publish(struct datapath *datapath, struct snapshot *snapshot);

/**
 * Get the published snapshot.
 *
 * @return the snapshot, valid until the next datapath_publish(); owned by the data path
 */
const struct snapshot *datapath_snapshot(const struct datapath *datapath);

/** Make every lcore poll its idle queues again, by a new wake sequence. Takes no lock. */
void datapath_wake(struct datapath *datapath);

/** Wait until every lcore has been quiescent, and holds nothing from before the call. */
void datapath_quiesce(struct datapath *datapath);

/**
 * Count frames that the control thread dropped at a tx port, such as from its shaper.
 *
 * @param port id, below PORT_MAX
 * @param reason of the drops
 * @param frames number of frames
 */
void datapath_count_drops(
	struct datapath *datapath, uint16_t port, enum drop_reason reason, unsigned frames);

/**
 * Sum the counters of a port over all lcores since the data path was created.
 *
 * @param port id, below PORT_MAX
 */
void datapath_counters(const struct datapath *datapath, uint16_t port, struct counters *sum);

/** Sum the counters of all ports, removed ports included. */
void datapath_totals(const struct datapath *datapath, struct counters *sum);

/** Get the load of a running lcore since its start. @param lcore_id from datapath_start() */
void datapath_lcore_load(const struct datapath *datapath, int lcore_id, struct datapath_load *load);

/**
 * Get the poll statistics of a running lcore since its start.
 *
 * @param lcore_id from datapath_start()
 */
void datapath_lcore_poll_stats(
	const struct datapath *datapath, int lcore_id, struct datapath_poll_stats *stats);

/**
 * Sum the load of an rx queue over all lcores since the data path was created.
 *
 * @param slot of the queue's load counters, see struct snapshot_queue; below DATAPATH_SLOT_MAX
 */
void datapath_slot_load(const struct datapath *datapath, uint16_t slot, struct datapath_load *load);

/**
 * Check whether a thread is that of a running polling lcore; for topology_confine().
 *
 * @param tid thread id
 * @param arg the data path
 * @return true if it is
 */
bool datapath_owns_thread(pid_t tid, void *arg);

#endif
