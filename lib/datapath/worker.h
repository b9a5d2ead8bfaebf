/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of a polling lcore ("worker"), and the stages that its bursts run through.
 * Private to lib/datapath; other libraries use datapath.h.
 *
 * Thread safety: given per field; the functions run on the worker's own thread.
 */
#ifndef SHUNT_DATAPATH_WORKER_H
#define SHUNT_DATAPATH_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_rcu_qsbr.h>

#include "datapath/burst.h"
#include "datapath/datapath.h"
#include "datapath/poll_stats.h"
#include "datapath/snapshot.h"
#include "datapath/rx_quota.h"
#include "datapath/poll_list.h"
#include "vlan/rewrite.h"

struct worker {
	/* Written by the control thread before the worker starts, constant while it runs. */
	struct rte_rcu_qsbr *qsbr;
	struct snapshot *_Atomic *snapshot; /**< pointer that snapshots are published by */
	_Atomic uint64_t *wake_seq; /**< wake sequence: a change invalidates words of idle queues */
	struct fdb *fdb;
	const struct port_driver *const *drivers; /**< terminated by NULL */
	pthread_t thread;
	uint16_t lcore_id;
	bool trace_only; /**< learn nothing and change no shared state, see trace.h */
	unsigned cpu;
	bool running; /**< control thread only */

	/* Written by the control thread, read by the worker once a round. */
	_Alignas(64) atomic_bool stop;

	/* Written by the worker at its start, read by the control thread. */
	atomic_int tid;         /**< for datapath_owns_thread() */
	atomic_int start_error; /**< 1 = starting, 0 = running, negative errno = not started */

	/* Written by the worker, read by the control thread. */
	_Alignas(64) struct datapath_load load;
	struct poll_stats poll_stats;
	struct datapath_load queue[DATAPATH_SLOT_MAX];
	struct counters counters[PORT_MAX];

	/* Used by the worker only. */
	bool left; /**< drivers have deferred work: no quiescent state may be reported */
	struct burst burst;
	struct poll_list poll_list;
	uint8_t learn_backoff[PORT_MAX]; /**< by port: bursts left without learning */
	struct vlan_rewrite rewrite;
	struct rx_quota rx_quota;
};

/** poll.c: one round over the queues of this lcore. @return frames received */
unsigned poll_round(struct worker *worker, const struct snapshot *snapshot);

/** poll.c: police worker->burst and set the destination of each frame. */
void poll_classify(struct worker *worker, const struct snapshot *snapshot);

/**
 * poll.c: send worker->burst to its destinations and to the taps of its rx port.
 *
 * @param taps of the rx port; NULL = none
 */
void poll_forward(struct worker *worker, const struct snapshot *snapshot, const struct taps *taps);

/**
 * multicast.c: set the destination of multicast frames of worker->burst by their groups, and copy
 * group membership messages to the control thread.
 */
void multicast_burst(struct worker *worker, const struct snapshot *snapshot);

/** forward.c: send every frame of worker->burst to its destination, grouped by destination. */
void forward_burst(struct worker *worker, const struct snapshot *snapshot);

/** flood.c: send frames by reference to every port that is up, except the rx port. */
void flood_frames(struct worker *worker, const struct snapshot *snapshot,
	struct frame *const frames[], uint16_t n);

/**
 * flood_filtered.c: send frames by reference to every port that their VLAN, the policies and the
 * flood keys of the tx ports allow.
 *
 * @param kind DEST_BROADCAST, DEST_MULTICAST or DEST_UNKNOWN; DEST_GROUP plus a set: to ports of
 *        the set only, whatever their flood keys
 */
void flood_filtered(struct worker *worker, const struct snapshot *snapshot, uint16_t kind,
	struct frame *const frames[], uint16_t n);

/**
 * output.c: the output stage: VLAN rewrite and taps, then the driver of the port. Takes one
 * reference of each frame.
 *
 * @param mirrored the frames are mirrored copies: no VLAN rewrite, not mirrored again
 */
void output_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored);

/** output.c: drop frames at their tx port: capture, count, and release one reference of each. */
void output_drop(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** taps.c: as forward_burst(), with the taps of the rx port. */
void taps_burst(struct worker *worker, const struct snapshot *snapshot, const struct taps *taps);

/** taps.c: as output_frames() without VLAN rewrite, for a port with taps. */
void taps_tx(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored);

/** taps.c: capture frames that are about to be dropped. @param received true: by their rx port */
void taps_dropped(struct worker *worker, const struct taps *taps, bool received,
	enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** tx.c: send frames by one port. Takes one reference of each frame. */
void tx_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n);

/** police.c: drop the frames of worker->burst that exceed the rate of the rx port. */
void police_burst(
	struct worker *worker, const struct snapshot *snapshot, const struct rules *rules);

/** shape.c: pass frames to a driver at the rate of the port; early frames wait in its shaper. */
void shape_frames(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/** shape.c: send due frames of the shapers of this lcore. @return true if there were any */
bool shape_drain(struct worker *worker, const struct snapshot *snapshot);

/** Pass frames to the driver, or to the shaper in front of it. Takes one reference of each. */
static inline void
port_tx(struct worker *worker, const struct snapshot_target *target, struct frame *const frames[],
	uint16_t n, struct counters *counters)
{
	if (unlikely(target->shaper != NULL))
		shape_frames(worker, target, frames, n, counters);
	else
		target->tx(target->dev, worker->lcore_id, frames, n, counters);
}

/** tx.c: as tx_frames(), for mirrored copies: no VLAN rewrite, not mirrored again. */
void tx_mirrored(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n);

/** drop.c: drop frames of worker->burst at their rx port: count, and release their references. */
void rx_drop(
	struct worker *worker, enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** worker.c: main function of the polling thread. @param arg the worker */
void *worker_main(void *arg);

#endif
