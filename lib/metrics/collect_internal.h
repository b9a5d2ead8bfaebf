/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of the metrics text, one function for each kind of object.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_METRICS_COLLECT_INTERNAL_H
#define SHUNT_METRICS_COLLECT_INTERNAL_H

#include "metrics/collect.h"

/** A port with its counters, read once per text. */
struct collect_port {
	const struct vswitch_port *port;
	struct counters counters;
	uint64_t missed; /**< frames lost by the device before reception */
};

/** A text in progress, with the data it is written from. */
struct collect {
	struct metrics_text text;
	const struct vswitch *vswitch;
	unsigned n_ports;
	struct collect_port port[];
};

/** collect_port.c: counters, links and drops of ports. */
void collect_ports(struct collect *collect);

/** collect_lcore.c: counters of queues. */
void collect_queues(struct collect *collect);

/** collect_lcore.c: counters and histograms of lcores. */
void collect_lcores(struct collect *collect);

#endif
