/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/snapshot.h"

#include <stdlib.h>

#include <rte_cycles.h>

#include "datapath/turns.h"

enum { BURST_OUT_MS = 5, BURST_OUT_LEAST = 16384 }; /* by default */

static void
snapshot_rate_out(struct snapshot_target *target, const struct port *port)
{
	uint64_t bits = (uint64_t)port->config.rate_out, burst = (uint64_t)port->config.burst_out;

	target->shaper = port->shaper;
	target->owner = LANE_MAX;
	if (port->shaper == NULL)
		return;
	/* No limit any more, but frames that wait for it. */
	if (bits == 0)
		bits = BUCKET_RATE_MAX;
	if (burst == 0)
		burst = bucket_burst_for(bits, BURST_OUT_MS, BURST_OUT_LEAST);
	bucket_rate_set(&target->rate_out, bits, burst, rte_get_tsc_hz());
}

static void
snapshot_targets(struct snapshot *snapshot, struct port *const ports[], const bool up[])
{
	bool retag = rules_change_tags(ports);

	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct snapshot_egress *egress = &snapshot->egress[id];
		if (ports[id] == NULL)
			continue;
		egress->retags = retag ? snapshot->rules[id] : NULL;
		egress->observers = snapshot->observers[id];
		if (egress->retags != NULL || egress->observers != NULL)
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

	for (int lane = 0; lane < LANE_MAX; lane++) {
		snapshot->lane[lane].poll = next;
		for (unsigned i = 0; i < n_queues; i++) {
			if (queues[i].lane != lane || !queues[i].active)
				continue;
			*next++ = (struct snapshot_poll){
				.rx = queues[i].port->config.driver->rx,
				.rx_done = queues[i].port->config.driver->rx_done,
				.rx_watch = queues[i].port->config.driver->rx_watch,
				.dev = queues[i].port->dev,
				.port = queues[i].port->id,
				.queue = queues[i].queue,
				.slot = queues[i].slot,
				.observers = snapshot->observers[queues[i].port->id],
			};
		}
		snapshot->lane[lane].polls = (uint32_t)(next - snapshot->lane[lane].poll);
	}
}

/** Who sends what waits for its time: the lane that polls the port. */
static void
snapshot_shaped(struct snapshot *snapshot, const struct snapshot_queue queues[], unsigned n_queues)
{
	uint16_t *next = snapshot->shaped;

	for (int lane = 0; lane < LANE_MAX; lane++) {
		snapshot->lane[lane].shaped = next;
		for (unsigned i = 0; i < n_queues; i++) {
			uint16_t id = queues[i].port->id;
			if (queues[i].lane != lane || queues[i].queue != 0 ||
				snapshot->target[id].shaper == NULL)
				continue;
			snapshot->target[id].owner = (uint16_t)lane;
			*next++ = id;
		}
		snapshot->lane[lane].n_shaped = (uint16_t)(next - snapshot->lane[lane].shaped);
	}
}

/** Ports with more queues on a lane than bursts in a round, beside other ports. */
static void
snapshot_crowds(struct snapshot_lane *lane)
{
	uint16_t queues[PORT_MAX] = {0}, crowd[PORT_MAX] = {0};

	if (lane->polls <= TURNS_BURSTS)
		return;
	for (uint32_t i = 0; i < lane->polls; i++)
		queues[lane->poll[i].port]++;
	for (uint32_t i = 0; i < lane->polls; i++) {
		uint16_t port = lane->poll[i].port;
		if (queues[port] <= TURNS_BURSTS || queues[port] == lane->polls)
			continue;
		if (crowd[port] == 0)
			crowd[port] = ++lane->n_crowds;
		lane->poll[i].crowd = crowd[port];
	}
}

/** @return false: no memory */
static bool
snapshot_rules(struct snapshot *snapshot, struct port *const ports[])
{
	snapshot->selects = rules_are_needed(ports);
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL || !(snapshot->selects || rules_of_its_own(ports[id])))
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
snapshot_observers(struct snapshot *snapshot, struct port *const ports[])
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL || !observers_are_there(ports[id]))
			continue;
		struct observers *observers = malloc(sizeof(*observers));
		if (observers == NULL)
			return false;
		observers_build(observers, ports[id]);
		snapshot->observers[id] = observers;
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
		free((struct observers *)(uintptr_t)snapshot->observers[id]);
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
	if (!snapshot_rules(snapshot, ports) || !snapshot_observers(snapshot, ports)) {
		snapshot_free(snapshot);
		return NULL;
	}
	snapshot_targets(snapshot, ports, up);
	snapshot_polls(snapshot, queues, n_queues);
	snapshot_shaped(snapshot, queues, n_queues);
	for (int lane = 0; lane < LANE_MAX; lane++)
		snapshot_crowds(&snapshot->lane[lane]);
	return snapshot;
}
