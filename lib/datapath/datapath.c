/* SPDX-License-Identifier: BSD-3-Clause */
/* Control of the data path: polling threads, publication of snapshots, sums of counters. */
#include "datapath/datapath.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "base/shared.h"
#include "datapath/worker.h"
#include "lcore/topology.h"

struct datapath {
	struct rte_rcu_qsbr *qsbr;
	struct snapshot *_Atomic snapshot; /**< written by control, read by workers every round */
	_Atomic uint64_t
		wake_seq; /**< written by any thread but workers, which read it every round */
	struct fdb *fdb;
	const struct port_driver *const *drivers;
	struct counters
		*control_drops; /**< by port: drops by the control thread, which alone uses them */
	struct worker *
		worker[LCORE_MAX]; /**< kept when an lcore stops, since sums include its counters */
};

struct datapath *
datapath_create(struct fdb *fdb, const struct port_driver *const drivers[])
{
	struct datapath *datapath = calloc(1, sizeof(*datapath));

	if (datapath == NULL)
		return NULL;
	datapath->fdb = fdb;
	datapath->drivers = drivers;
	datapath->control_drops = aligned_alloc(64, PORT_MAX * sizeof(datapath->control_drops[0]));
	datapath->snapshot = calloc(1, sizeof(struct snapshot));
	datapath->qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(LCORE_MAX), 64);
	if (datapath->control_drops != NULL)
		memset(datapath->control_drops, 0, PORT_MAX * sizeof(datapath->control_drops[0]));
	if (datapath->control_drops == NULL || datapath->snapshot == NULL ||
		datapath->qsbr == NULL || rte_rcu_qsbr_init(datapath->qsbr, LCORE_MAX) != 0) {
		datapath_destroy(datapath);
		errno = ENOMEM;
		return NULL;
	}
	return datapath;
}

void
datapath_destroy(struct datapath *datapath)
{
	if (datapath == NULL)
		return;
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++) {
		datapath_stop(datapath, lcore_id);
		rte_free(datapath->worker[lcore_id]);
	}
	snapshot_free(datapath->snapshot);
	rte_free(datapath->qsbr);
	free(datapath->control_drops);
	free(datapath);
}

/** Set up the worker of an lcore before its thread starts. @return NULL without memory */
static struct worker *
datapath_prepare_worker(struct datapath *datapath, int lcore_id, unsigned cpu)
{
	struct worker *worker = datapath->worker[lcore_id];

	if (worker == NULL)
		worker = rte_zmalloc_socket("worker", sizeof(*worker), 64, topology_node_of(cpu));
	if (worker == NULL)
		return NULL;
	datapath->worker[lcore_id] = worker;
	worker->qsbr = datapath->qsbr;
	worker->snapshot = &datapath->snapshot;
	worker->wake_seq = &datapath->wake_seq;
	worker->poll_list.snapshot = NULL;
	worker->context.fdb = datapath->fdb;
	worker->drivers = datapath->drivers;
	worker->context.lcore_id = (uint16_t)lcore_id;
	worker->cpu = cpu;
	worker->load = (struct datapath_load){0};
	poll_stats_init(&worker->poll_stats);
	atomic_store(&worker->stop, false);
	atomic_store(&worker->start_error, 1);
	return worker;
}

/** Find an lcore id that is not in use. @return id; -EBUSY */
static int
datapath_unused_lcore(const struct datapath *datapath)
{
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		if (datapath->worker[lcore_id] == NULL || !datapath->worker[lcore_id]->running)
			return lcore_id;
	return -EBUSY;
}

int
datapath_start(struct datapath *datapath, unsigned cpu, struct err *err)
{
	int lcore_id = datapath_unused_lcore(datapath);

	if (lcore_id < 0)
		return err_set(
			err, EBUSY, "lcore %u: all %d polling lcores are in use", cpu, LCORE_MAX);
	struct worker *worker = datapath_prepare_worker(datapath, lcore_id, cpu);
	if (worker == NULL)
		return err_set(err, ENOMEM, "lcore %u: no memory", cpu);
	int rc = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (rc != 0)
		return err_set(err, rc, "lcore %u: no thread: %s", cpu, strerror(rc));
	while ((rc = atomic_load(&worker->start_error)) > 0)
		sched_yield();
	if (rc < 0) {
		pthread_join(worker->thread, NULL);
		return err_set(err, -rc, "lcore %u: cannot poll there: %s", cpu, strerror(-rc));
	}
	worker->running = true;
	return lcore_id;
}

void
datapath_stop(struct datapath *datapath, int lcore_id)
{
	struct worker *worker = datapath->worker[lcore_id];

	if (worker == NULL || !worker->running)
		return;
	atomic_store(&worker->stop, true);
	pthread_join(worker->thread, NULL);
	worker->running = false;
}

void
datapath_publish(struct datapath *datapath, struct snapshot *snapshot)
{
	/* Release: pairs with the acquire in worker_main(). */
	struct snapshot *old =
		atomic_exchange_explicit(&datapath->snapshot, snapshot, memory_order_acq_rel);

	datapath_quiesce(datapath);
	snapshot_free(old);
}

const struct snapshot *
datapath_snapshot(const struct datapath *datapath)
{
	return atomic_load_explicit(&datapath->snapshot, memory_order_relaxed);
}

void
datapath_wake(struct datapath *datapath)
{
	atomic_fetch_add(&datapath->wake_seq, 1);
}

void
datapath_quiesce(struct datapath *datapath)
{
	/* Before the wait: an lcore that has been quiescent then reads the new wake_seq before it
	 * reads the word of an idle queue again. */
	datapath_wake(datapath);
	rte_rcu_qsbr_synchronize(datapath->qsbr, RTE_QSBR_THRID_INVALID);
}

void
datapath_counters(const struct datapath *datapath, uint16_t port, struct counters *sum)
{
	*sum = datapath->control_drops[port];
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		if (datapath->worker[lcore_id] != NULL)
			counters_add(sum, &datapath->worker[lcore_id]->context.counters[port]);
}

void
datapath_count_drops(
	struct datapath *datapath, uint16_t port, enum drop_reason reason, unsigned frames)
{
	datapath->control_drops[port].tx_drops[reason] += frames;
}

void
datapath_totals(const struct datapath *datapath, struct counters *sum)
{
	*sum = (struct counters){0};
	for (int port = 0; port < PORT_MAX; port++)
		counters_add(sum, &datapath->control_drops[port]);
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		for (int port = 0; datapath->worker[lcore_id] != NULL && port < PORT_MAX; port++)
			counters_add(sum, &datapath->worker[lcore_id]->context.counters[port]);
}

static void
datapath_load_add(struct datapath_load *sum, const struct datapath_load *part)
{
	sum->busy_cycles += shared_load_relaxed(&part->busy_cycles);
	sum->idle_cycles += shared_load_relaxed(&part->idle_cycles);
	sum->packets += shared_load_relaxed(&part->packets);
}

void
datapath_lcore_load(const struct datapath *datapath, int lcore_id, struct datapath_load *load)
{
	*load = (struct datapath_load){0};
	if (datapath->worker[lcore_id] != NULL)
		datapath_load_add(load, &datapath->worker[lcore_id]->load);
}

void
datapath_lcore_poll_stats(
	const struct datapath *datapath, int lcore_id, struct datapath_poll_stats *stats)
{
	const struct worker *worker = datapath->worker[lcore_id];
	const struct datapath_poll_stats *seen;

	*stats = (struct datapath_poll_stats){.loop_cycles = 0};
	if (worker == NULL)
		return;
	seen = &worker->poll_stats.seen;
	for (int i = 0; i < DATAPATH_BURST_BUCKETS; i++)
		stats->burst[i] = shared_load_relaxed(&seen->burst[i]);
	for (int i = 0; i < DATAPATH_LOOP_BUCKETS; i++)
		stats->loop[i] = shared_load_relaxed(&seen->loop[i]);
	stats->loop_cycles = shared_load_relaxed(&seen->loop_cycles);
}

void
datapath_slot_load(const struct datapath *datapath, uint16_t slot, struct datapath_load *load)
{
	*load = (struct datapath_load){0};
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		if (datapath->worker[lcore_id] != NULL)
			datapath_load_add(load, &datapath->worker[lcore_id]->queue[slot]);
}

bool
datapath_owns_thread(pid_t tid, void *arg)
{
	const struct datapath *datapath = arg;

	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		if (datapath->worker[lcore_id] != NULL && datapath->worker[lcore_id]->running &&
			atomic_load(&datapath->worker[lcore_id]->tid) == tid)
			return true;
	return false;
}
