/* SPDX-License-Identifier: BSD-3-Clause */
/* The polling thread: start, poll loop with quiescent states in between, and stop. */
#include "datapath/worker.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_lcore.h>

enum { WORKER_NAP_NS = 50000 };

/** Sleep for a moment, as there is no queue to poll. Offline, so that RCU does not wait for it. */
static void
worker_nap(struct worker *worker)
{
	const struct timespec nap = {.tv_nsec = WORKER_NAP_NS};

	poll_stats_pause(&worker->poll_stats);
	rte_rcu_qsbr_thread_offline(worker->qsbr, worker->context.lcore_id);
	nanosleep(&nap, NULL);
	rte_rcu_qsbr_thread_online(worker->qsbr, worker->context.lcore_id);
}

/** Pin the thread to its CPU, and register it with EAL and RCU. @return 0; negative errno */
static int
worker_enter(struct worker *worker)
{
	cpu_set_t cpus;
	char name[16];

	CPU_ZERO(&cpus);
	CPU_SET(worker->cpu, &cpus);
	if (pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus) != 0)
		return -EINVAL;
	/* Gives the thread an lcore id, and with it caches in the mbuf pools. */
	if (rte_thread_register() < 0)
		return -rte_errno;
	snprintf(name, sizeof(name), "poll-%u", worker->cpu);
	pthread_setname_np(pthread_self(), name);
	atomic_store(&worker->tid, gettid());
	rte_rcu_qsbr_thread_register(worker->qsbr, worker->context.lcore_id);
	rte_rcu_qsbr_thread_online(worker->qsbr, worker->context.lcore_id);
	return 0;
}

/** Unregister the thread from RCU and EAL. */
static void
worker_leave(struct worker *worker)
{
	rte_rcu_qsbr_thread_offline(worker->qsbr, worker->context.lcore_id);
	rte_rcu_qsbr_thread_unregister(worker->qsbr, worker->context.lcore_id);
	rte_thread_unregister();
	atomic_store(&worker->tid, 0);
}

void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	int rc = worker_enter(worker);

	atomic_store(&worker->start_error, rc);
	if (rc < 0)
		return NULL;
	while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
		/* Acquire: pairs with the release in datapath_publish(). */
		const struct snapshot *snapshot =
			atomic_load_explicit(worker->snapshot, memory_order_acquire);
		bool idle = snapshot->lcore[worker->context.lcore_id].polls == 0;

		poll_round(worker, snapshot);
		if (worker->deferred)
			continue;
		rte_rcu_qsbr_quiescent(worker->qsbr, worker->context.lcore_id);
		if (idle)
			worker_nap(worker);
	}
	worker_leave(worker);
	return NULL;
}
