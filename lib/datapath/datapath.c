/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/datapath.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "datapath/worker.h"
#include "lcore/topology.h"

struct datapath {
	struct rte_rcu_qsbr *qsbr;
	struct snapshot *_Atomic snapshot; /**< written by control, read by workers every round */
	_Atomic uint64_t era; /**< written by any thread but workers, who read it every round */
	struct fdb *fdb;
	const struct port_driver *const *drivers;
	struct counters *late; /**< by port: frames that waited in vain; control's alone */
	struct worker *worker[LANE_MAX]; /**< kept when a lane stops: its counters go on */
};

struct datapath *
datapath_create(struct fdb *fdb, const struct port_driver *const drivers[])
{
	struct datapath *datapath = calloc(1, sizeof(*datapath));

	if (datapath == NULL)
		return NULL;
	datapath->fdb = fdb;
	datapath->drivers = drivers;
	datapath->late = aligned_alloc(64, PORT_MAX * sizeof(datapath->late[0]));
	datapath->snapshot = calloc(1, sizeof(struct snapshot));
	datapath->qsbr = rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(LANE_MAX), 64);
	if (datapath->late != NULL)
		memset(datapath->late, 0, PORT_MAX * sizeof(datapath->late[0]));
	if (datapath->late == NULL || datapath->snapshot == NULL || datapath->qsbr == NULL ||
		rte_rcu_qsbr_init(datapath->qsbr, LANE_MAX) != 0) {
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
	for (int lane = 0; lane < LANE_MAX; lane++) {
		datapath_stop(datapath, lane);
		rte_free(datapath->worker[lane]);
	}
	snapshot_free(datapath->snapshot);
	rte_free(datapath->qsbr);
	free(datapath->late);
	free(datapath);
}

static struct worker *
datapath_worker(struct datapath *datapath, int lane, unsigned cpu)
{
	struct worker *worker = datapath->worker[lane];

	if (worker == NULL)
		worker = rte_zmalloc_socket("worker", sizeof(*worker), 64, topology_node_of(cpu));
	if (worker == NULL)
		return NULL;
	datapath->worker[lane] = worker;
	worker->qsbr = datapath->qsbr;
	worker->snapshot = &datapath->snapshot;
	worker->era = &datapath->era;
	worker->watch.snapshot = NULL;
	worker->fdb = datapath->fdb;
	worker->drivers = datapath->drivers;
	worker->lane = (uint16_t)lane;
	worker->cpu = cpu;
	worker->load = (struct datapath_load){0};
	rounds_init(&worker->rounds);
	atomic_store(&worker->stop, false);
	atomic_store(&worker->start_error, 1);
	return worker;
}

static int
datapath_free_lane(const struct datapath *datapath)
{
	for (int lane = 0; lane < LANE_MAX; lane++)
		if (datapath->worker[lane] == NULL || !datapath->worker[lane]->running)
			return lane;
	return -EBUSY;
}

int
datapath_start(struct datapath *datapath, unsigned cpu, struct err *err)
{
	int lane = datapath_free_lane(datapath);

	if (lane < 0)
		return err_set(
			err, EBUSY, "lcore %u: all %d polling lcores are in use", cpu, LANE_MAX);
	struct worker *worker = datapath_worker(datapath, lane, cpu);
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
	return lane;
}

void
datapath_stop(struct datapath *datapath, int lane)
{
	struct worker *worker = datapath->worker[lane];

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
	atomic_fetch_add(&datapath->era, 1);
}

void
datapath_quiesce(struct datapath *datapath)
{
	/* First: a lane that passed its quiescent state reads the new era before it watches again. */
	datapath_wake(datapath);
	rte_rcu_qsbr_synchronize(datapath->qsbr, RTE_QSBR_THRID_INVALID);
}

void
datapath_counters(const struct datapath *datapath, uint16_t port, struct counters *sum)
{
	*sum = datapath->late[port];
	for (int lane = 0; lane < LANE_MAX; lane++)
		if (datapath->worker[lane] != NULL)
			counters_add(sum, &datapath->worker[lane]->counters[port]);
}

void
datapath_late(struct datapath *datapath, uint16_t port, enum drop_reason reason, unsigned frames)
{
	datapath->late[port].tx_drops[reason] += frames;
}

void
datapath_totals(const struct datapath *datapath, struct counters *sum)
{
	*sum = (struct counters){0};
	for (int port = 0; port < PORT_MAX; port++)
		counters_add(sum, &datapath->late[port]);
	for (int lane = 0; lane < LANE_MAX; lane++)
		for (int port = 0; datapath->worker[lane] != NULL && port < PORT_MAX; port++)
			counters_add(sum, &datapath->worker[lane]->counters[port]);
}

static void
load_add(struct datapath_load *sum, const struct datapath_load *part)
{
	sum->busy_cycles += __atomic_load_n(&part->busy_cycles, __ATOMIC_RELAXED);
	sum->idle_cycles += __atomic_load_n(&part->idle_cycles, __ATOMIC_RELAXED);
	sum->packets += __atomic_load_n(&part->packets, __ATOMIC_RELAXED);
}

void
datapath_lane_load(const struct datapath *datapath, int lane, struct datapath_load *load)
{
	*load = (struct datapath_load){0};
	if (datapath->worker[lane] != NULL)
		load_add(load, &datapath->worker[lane]->load);
}

void
datapath_lane_rounds(const struct datapath *datapath, int lane, struct datapath_rounds *rounds)
{
	const struct worker *worker = datapath->worker[lane];
	const struct datapath_rounds *seen;

	*rounds = (struct datapath_rounds){.loop_cycles = 0};
	if (worker == NULL)
		return;
	seen = &worker->rounds.seen;
	for (int i = 0; i < DATAPATH_BURST_BUCKETS; i++)
		rounds->burst[i] = __atomic_load_n(&seen->burst[i], __ATOMIC_RELAXED);
	for (int i = 0; i < DATAPATH_LOOP_BUCKETS; i++)
		rounds->loop[i] = __atomic_load_n(&seen->loop[i], __ATOMIC_RELAXED);
	rounds->loop_cycles = __atomic_load_n(&seen->loop_cycles, __ATOMIC_RELAXED);
}

void
datapath_slot_load(const struct datapath *datapath, uint16_t slot, struct datapath_load *load)
{
	*load = (struct datapath_load){0};
	for (int lane = 0; lane < LANE_MAX; lane++)
		if (datapath->worker[lane] != NULL)
			load_add(load, &datapath->worker[lane]->queue[slot]);
}

bool
datapath_owns_thread(pid_t tid, void *arg)
{
	const struct datapath *datapath = arg;

	for (int lane = 0; lane < LANE_MAX; lane++)
		if (datapath->worker[lane] != NULL && datapath->worker[lane]->running &&
			atomic_load(&datapath->worker[lane]->tid) == tid)
			return true;
	return false;
}
