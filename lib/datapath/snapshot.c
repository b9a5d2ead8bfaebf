/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds snapshots from ports and queues. */
#include "datapath/snapshot.h"

#include <stdlib.h>

#include <rte_cycles.h>

#include "datapath/rx_quota.h"

enum { BURST_OUT_MS = 5, BURST_OUT_LEAST = 16384 }; /* default burst of the tx rate */

static void
snapshot_rate_out(struct snapshot_target *target, const struct port *port)
{
	uint64_t bits = (uint64_t)port->config.rate_out, burst = (uint64_t)port->config.burst_out;

	target->shaper = port->shaper;
	target->owner = LCORE_MAX;
	if (port->shaper == NULL)
		return;
	/* The limit has been removed, but the shaper still holds frames. */
	if (bits == 0)
		bits = BUCKET_RATE_MAX;
	if (burst == 0)
		burst = bucket_burst_for(bits, BURST_OUT_MS, BURST_OUT_LEAST);
	bucket_rate_set(&target->rate_out, bits, burst, rte_get_tsc_hz());
}

static void
snapshot_targets(struct snapshot *snapshot, struct port *const ports[], const bool up[])
{
	bool rewrite = rules_change_tags(ports);

	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct snapshot_egress *egress = &snapshot->egress[id];
		if (ports[id] == NULL)
			continue;
		egress->rewrites = rewrite ? snapshot->rules[id] : NULL;
		egress->taps = snapshot->taps[id];
		if (egress->rewrites != NULL || egress->taps != NULL)
			snapshot->target[id].egress = egress;
		if (!up[id])
			continue;
		snapshot->target[id] = (struct snapshot_target){
			.tx = ports[id]->config.driver->tx,
			.dev = ports[id]->dev,
			.max_len = ports[id]->max_len,
			.egress = snapshot->target[id].egress,
		};
		snapshot_rate_out(&snapshot->target[id], ports[id]);
		snapshot->flood[snapshot->floods++] = id;
	}
}

static void
snapshot_polls(struct snapshot *snapshot, const struct snapshot_queue queues[], unsigned n_queues)
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
				.taps = snapshot->taps[queues[i].port->id],
			};
		}
		snapshot->lcore[lcore_id].polls = (uint32_t)(next - snapshot->lcore[lcore_id].poll);
	}
}

/** Assign each shaper to the lcore that polls queue 0 of the port. */
static void
snapshot_shaped(struct snapshot *snapshot, const struct snapshot_queue queues[], unsigned n_queues)
{
	uint16_t *next = snapshot->shaped;

	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++) {
		snapshot->lcore[lcore_id].shaped = next;
		for (unsigned i = 0; i < n_queues; i++) {
			uint16_t id = queues[i].port->id;
			if (queues[i].lcore_id != lcore_id || queues[i].queue != 0 ||
				snapshot->target[id].shaper == NULL)
				continue;
			snapshot->target[id].owner = (uint16_t)lcore_id;
			*next++ = id;
		}
		snapshot->lcore[lcore_id].n_shaped =
			(uint16_t)(next - snapshot->lcore[lcore_id].shaped);
	}
}

/** Give an rx quota to ports with more than RX_QUOTA_BURSTS queues on an lcore with other ports. */
static void
snapshot_quotas(struct snapshot_lcore *lcore)
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

/** @return false: no memory */
static bool
snapshot_rules(struct snapshot *snapshot, struct port *const ports[])
{
	snapshot->floods_filtered = rules_are_needed(ports);
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL ||
			!(snapshot->floods_filtered || rules_of_its_own(ports[id])))
			continue;
		struct rules *rules = malloc(sizeof(*rules));
		if (rules == NULL)
			return false;
		rules_build(rules, ports[id], ports);
		snapshot->rules[id] = rules;
	}
	return true;
}

/** @return false: no memory */
static bool
snapshot_taps(struct snapshot *snapshot, struct port *const ports[])
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL || !taps_are_needed(ports[id]))
			continue;
		struct taps *taps = malloc(sizeof(*taps));
		if (taps == NULL)
			return false;
		taps_build(taps, ports[id]);
		snapshot->taps[id] = taps;
	}
	return true;
}

void
snapshot_free(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		free((struct rules *)(uintptr_t)snapshot->rules[id]);
		free((struct taps *)(uintptr_t)snapshot->taps[id]);
	}
	snoop_table_free((struct snoop_table *)(uintptr_t)snapshot->groups);
	free(snapshot);
}

struct snapshot *
snapshot_build(struct port *const ports[PORT_MAX], const bool up[PORT_MAX],
	const struct snapshot_queue queues[], unsigned n_queues)
{
	struct snapshot *snapshot =
		calloc(1, sizeof(*snapshot) + n_queues * sizeof(struct snapshot_poll));

	if (snapshot == NULL)
		return NULL;
	if (!snapshot_rules(snapshot, ports) || !snapshot_taps(snapshot, ports)) {
		snapshot_free(snapshot);
		return NULL;
	}
	snapshot_targets(snapshot, ports, up);
	snapshot_polls(snapshot, queues, n_queues);
	snapshot_shaped(snapshot, queues, n_queues);
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		snapshot_quotas(&snapshot->lcore[lcore_id]);
	return snapshot;
}
