/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A polling lcore at work: its state, and the stages it runs through.
 * Private to lib/datapath; others use datapath.h.
 *
 * Thread safety: said per field; the functions run on the worker's own thread.
 */
#ifndef SHUNT_DATAPATH_WORKER_H
#define SHUNT_DATAPATH_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_rcu_qsbr.h>

#include "datapath/burst.h"
#include "datapath/datapath.h"
#include "datapath/rounds.h"
#include "datapath/snapshot.h"
#include "datapath/turns.h"
#include "datapath/watch.h"
#include "vlan/retag.h"

struct worker {
	/* Written by control before the thread starts, constant while it runs. */
	struct rte_rcu_qsbr *qsbr;
	struct snapshot *_Atomic *snapshot; /**< where control publishes */
	_Atomic uint64_t *era;              /**< changes when watched words may be gone */
	struct fdb *fdb;
	const struct port_driver *const *drivers; /**< ended by NULL */
	pthread_t thread;
	uint16_t lane;
	bool dry; /**< nothing is to be learnt, nor any state to be changed: see trace.h */
	unsigned cpu;
	bool running; /**< control only */

	/* Written by control, read by the worker once a round. */
	_Alignas(64) atomic_bool stop;

	/* Written by the thread at its start, read by control while it confines other threads. */
	atomic_int tid;
	atomic_int start_error; /**< 1 = starting, 0 = runs, negative errno = did not start */

	/* Written by the worker, read by control. */
	_Alignas(64) struct datapath_load load;
	struct rounds rounds;
	struct datapath_load queue[DATAPATH_SLOT_MAX];
	struct counters counters[PORT_MAX];

	/* The worker's alone. */
	bool left; /**< drivers have left something of this round for later: not quiescent */
	struct burst burst;
	struct watch watch;
	uint8_t rest[PORT_MAX]; /**< by port: bursts that nothing is learnt from */
	struct retag_room room;
	struct turns turns;
};

/** poll.c: one round over the queues of this lane. @return frames received */
unsigned poll_round(struct worker *worker, const struct snapshot *snapshot);

/** poll.c: say of every frame of worker->burst where it goes. */
void poll_classify(struct worker *worker, const struct snapshot *snapshot);

/**
 * poll.c: send worker->burst to where it goes, seen by those who look.
 *
 * @param observers of the port that it came from; NULL = nobody
 */
void poll_forward(
	struct worker *worker, const struct snapshot *snapshot, const struct observers *observers);
/** multicast.c: say of multicast of worker->burst whom it is for; show control what it is to know. */
void multicast_burst(struct worker *worker, const struct snapshot *snapshot);

/** forward.c: send every frame of worker->burst to its destination, each destination at once. */
void forward_burst(struct worker *worker, const struct snapshot *snapshot);

/** flood.c: send frames to every port but the one they came from, by reference. */
void flood_frames(struct worker *worker, const struct snapshot *snapshot,
	struct frame *const frames[], uint16_t n);

/**
 * flood_selected.c: send frames to every port that their VLAN, the policies and the ports' own flood
 * keys allow, by reference.
 *
 * @param kind DEST_BROADCAST, DEST_MULTICAST or DEST_UNKNOWN; DEST_GROUP and a set: to its ports alone,
 *        whatever their flood keys
 */
void flood_selected(struct worker *worker, const struct snapshot *snapshot, uint16_t kind,
	struct frame *const frames[], uint16_t n);

/**
 * egress.c: hand frames to the driver of a port as they leave by it, their tags changed, and show
 * them to who looks. Takes one reference of each.
 *
 * @param mirrored they are copies, whose tags stay, and which are not mirrored again
 */
void egress_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored);

/** egress.c: count, show to who looks, and free frames that do not leave by their port. */
void egress_drop(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** observe.c: forward_burst(), with what a port's observers are to see of the burst. */
void observe_burst(
	struct worker *worker, const struct snapshot *snapshot, const struct observers *observers);

/** observe.c: hand frames to the driver of a port whose observers see them. As egress_frames(). */
void observe_tx(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored);

/** observe.c: show frames that are about to be dropped. @param received else on their way out */
void observe_dropped(struct worker *worker, const struct observers *observers, bool received,
	enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** tx.c: send frames by one port. Takes one reference of each. */
void tx_frames(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n);

/** admit.c: drop what of worker->burst is over the rate of the port it came from. */
void admit_burst(struct worker *worker, const struct snapshot *snapshot, const struct rules *rules);

/** shape.c: hand frames to a driver at the port's rate; what is early waits. */
void shape_frames(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/** shape.c: send what waits and is due, of the ports that are this lane's. @return was there any? */
bool shape_drain(struct worker *worker, const struct snapshot *snapshot);

/** Frames as they leave: to the driver, or to the shaper before it. */
static inline void
tx_driver(struct worker *worker, const struct snapshot_target *target, struct frame *const frames[],
	uint16_t n, struct counters *counters)
{
	if (unlikely(target->shaper != NULL))
		shape_frames(worker, target, frames, n, counters);
	else
		target->tx(target->dev, worker->lane, frames, n, counters);
}
/** tx.c: the same for copies of frames that another port received or sent: they leave as they are. */
void tx_mirrored(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n);

/** drop.c: count and free frames that end here. */
void rx_drop(
	struct worker *worker, enum drop_reason reason, struct frame *const frames[], uint16_t n);

/** worker.c: the body of the thread; arg is the worker. */
void *worker_main(void *arg);

#endif
