/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/snapshot.h"

#include <stdlib.h>

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
	return snapshot;
}
