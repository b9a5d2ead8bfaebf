/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of a polling lcore ("worker").
 * Private to lib/datapath; other libraries use datapath.h.
 *
 * Thread safety: given per field; the functions run on the worker's own thread.
 */
#ifndef SHUNT_DATAPATH_WORKER_H
#define SHUNT_DATAPATH_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_rcu_qsbr.h>

#include "datapath/context.h"
#include "datapath/datapath.h"
#include "datapath/poll_stats.h"
#include "datapath/snapshot.h"
#include "datapath/rx_quota.h"
#include "datapath/poll_list.h"

/** A polling lcore: its thread, poll list, context and statistics. */
struct worker {
	/* Written by the control thread before the worker starts, constant while it runs. */
	struct rte_rcu_qsbr *qsbr;
	struct snapshot *_Atomic *snapshot; /**< pointer that snapshots are published by */
	_Atomic uint64_t *wake_seq; /**< wake sequence: a change invalidates words of idle queues */
	const struct port_driver *const *drivers; /**< terminated by NULL */
	pthread_t thread;
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

	/* Used by the worker only. */
	bool deferred; /**< drivers have deferred work: no quiescent state may be reported */
	struct poll_list poll_list;
	struct rx_quota rx_quota;

	/* Its fdb and lcore_id are written by the control thread before the worker starts. */
	struct burst_context context;
};

/** poll.c: run one round over the queues of this lcore. @return frames received */
unsigned poll_round(struct worker *worker, const struct snapshot *snapshot);

/** worker.c: main function of the polling thread. @param arg struct worker @return NULL */
void *worker_main(void *arg);

#endif
