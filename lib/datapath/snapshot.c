/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds snapshots from ports and rx queues. */
#include "datapath/snapshot.h"

#include <stdlib.h>

#include "datapath/output.h"
#include "datapath/rx_quota.h"
#include "datapath/classify.h"

static const struct egress_stage snapshot_plain[] = {{.run = output_length_stage}, {0}};

/** Add a port to the targets of each kind of flood that the port takes. */
static void
snapshot_add_to_floods(struct snapshot *snapshot, uint16_t port)
{
	const struct snapshot_stages *stages = snapshot->stages[port];

	for (unsigned kind = 0; kind < FLOOD_KINDS; kind++) {
		struct snapshot_flood *flood = &snapshot->flood[kind];
		if (stages == NULL || !stages->refuses[kind])
			flood->port[flood->n++] = port;
	}
}

/** Fill in the tx ports and the targets of floods. */
static void
snapshot_fill_targets(struct snapshot *snapshot, struct port *const ports[], const bool up[])
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		const struct snapshot_stages *stages = snapshot->stages[id];
		struct snapshot_target *target = &snapshot->target[id];

		target->stages = target->copy_stages = snapshot_plain;
		if (stages != NULL) {
			target->stages = stages->egress;
			target->copy_stages = stages->copies;
			if (stages->filters[0].run != NULL)
				target->filters = stages->filters;
		}
		if (ports[id] == NULL || !up[id])
			continue;
		target->tx = stages != NULL ? stages->tx : ports[id]->config.driver->tx;
		target->dev = stages != NULL ? stages->dev : ports[id]->dev;
		target->max_len = ports[id]->max_len;
		if (target->stages[1].run == NULL)
			target->plain_limit = target->max_len + 1;
		snapshot->floods_filtered |= target->filters != NULL;
		snapshot_add_to_floods(snapshot, id);
	}
}

const struct ingress_stage *
snapshot_ingress(const struct snapshot *snapshot, uint16_t port)
{
	const struct snapshot_stages *stages = snapshot->stages[port];

	if (stages == NULL ||
		(stages->ingress[0].run == classify_plain_stage && stages->ingress[1].run == NULL))
		return NULL;
	return stages->ingress;
}

/** Fill in the rx queues that each lcore polls. */
static void
snapshot_fill_polls(
	struct snapshot *snapshot, const struct snapshot_queue queues[], unsigned n_queues)
{
	struct snapshot_poll *next = snapshot->poll;

	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++) {
		snapshot->lcore[lcore_id].poll = next;
		for (unsigned i = 0; i < n_queues; i++) {
			if (queues[i].lcore_id != lcore_id || !queues[i].active)
				continue;
			*next++ = (struct snapshot_poll){
				.rx = queues[i].port->config.driver->rx,
				.rx_done = queues[i].port->config.driver->rx_done,
				.rx_monitor = queues[i].port->config.driver->rx_monitor,
				.dev = queues[i].port->dev,
				.port = queues[i].port->id,
				.queue = queues[i].queue,
				.slot = queues[i].slot,
				.ingress = snapshot_ingress(snapshot, queues[i].port->id),
				.rx_fd = queues[i].port->config.driver->rx_fd,
			};
		}
		snapshot->lcore[lcore_id].polls = (uint32_t)(next - snapshot->lcore[lcore_id].poll);
	}
}

/** Assign the drain of each port to the lcore of its rx queue 0. */
static void
snapshot_assign_drains(
	struct snapshot *snapshot, const struct snapshot_queue queues[], unsigned n_queues)
{
	struct snapshot_drain *next = snapshot->drain;

	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++) {
		snapshot->lcore[lcore_id].drain = next;
		for (unsigned i = 0; i < n_queues; i++) {
			uint16_t id = queues[i].port->id;
			const struct snapshot_stages *stages = snapshot->stages[id];
			if (queues[i].lcore_id != lcore_id || queues[i].queue != 0 ||
				snapshot->target[id].tx == NULL || stages == NULL ||
				stages->drain.run == NULL)
				continue;
			*stages->drain.owner = (uint16_t)lcore_id;
			*next++ = (struct snapshot_drain){stages->drain.run, stages->drain_state};
		}
		snapshot->lcore[lcore_id].n_drains =
			(uint16_t)(next - snapshot->lcore[lcore_id].drain);
	}
}

/** Give an rx quota to ports with more than RX_QUOTA_BURSTS queues on an lcore with other ports. */
static void
snapshot_assign_quotas(struct snapshot_lcore *lcore)
{
	uint16_t queues[PORT_MAX] = {0}, quota[PORT_MAX] = {0};

	if (lcore->polls <= RX_QUOTA_BURSTS)
		return;
	for (uint32_t i = 0; i < lcore->polls; i++)
		queues[lcore->poll[i].port]++;
	for (uint32_t i = 0; i < lcore->polls; i++) {
		uint16_t port = lcore->poll[i].port;
		if (queues[port] <= RX_QUOTA_BURSTS || queues[port] == lcore->polls)
			continue;
		if (quota[port] == 0)
			quota[port] = ++lcore->n_quotas;
		lcore->poll[i].quota = quota[port];
	}
}

void
snapshot_free(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	snapshot_compile_free(snapshot);
	snoop_table_free((struct snoop_table *)(uintptr_t)snapshot->groups);
	free(snapshot);
}

struct snapshot *
snapshot_build(const struct feature *const features[], void *const states[],
	struct port *const ports[PORT_MAX], const bool up[PORT_MAX],
	const struct snapshot_queue queues[], unsigned n_queues)
{
	struct snapshot *snapshot =
		calloc(1, sizeof(*snapshot) + n_queues * sizeof(struct snapshot_poll));

	if (snapshot == NULL)
		return NULL;
	if (snapshot_compile(snapshot, features, states, ports) < 0) {
		snapshot_free(snapshot);
		return NULL;
	}
	snapshot_fill_targets(snapshot, ports, up);
	snapshot_fill_polls(snapshot, queues, n_queues);
	snapshot_assign_drains(snapshot, queues, n_queues);
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		snapshot_assign_quotas(&snapshot->lcore[lcore_id]);
	return snapshot;
}
