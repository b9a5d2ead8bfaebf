/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the switch as a whole and of the FDB; the order of all metrics. */
#include <stdlib.h>

#include <rte_version.h>

#include "metrics/collect_internal.h"

static const struct metrics_label no_labels[] = {{NULL, NULL}};

/** Write the metrics of the switch as a whole. */
static void
collect_switch(struct collect *collect)
{
	static const struct metrics_family build = {
		"shunt_build", METRICS_INFO, "", "Versions of the switch and of DPDK."};
	static const struct metrics_family uptime = {"shunt_uptime_seconds", METRICS_GAUGE,
		"seconds", "Time since the switch was started."};
	static const struct metrics_family ports = {
		"shunt_ports", METRICS_GAUGE, "", "Number of ports."};
	const struct metrics_label versions[] = {
		{"version", SHUNT_VERSION}, {"dpdk", rte_version() + sizeof("DPDK")}, {NULL, NULL}};

	metrics_text_family(&collect->text, &build);
	metrics_text_count(&collect->text, versions, 1);
	metrics_text_family(&collect->text, &uptime);
	metrics_text_count(
		&collect->text, no_labels, (uint64_t)(vswitch_now() - collect->vswitch->started));
	metrics_text_family(&collect->text, &ports);
	metrics_text_count(&collect->text, no_labels, collect->n_ports);
}

/** Write the metrics of the FDB. */
static void
collect_fdb(struct collect *collect)
{
	struct fdb_stats stats;

	fdb_get_stats(collect->vswitch->fdb, &stats);
	const struct {
		struct metrics_family family;
		uint64_t value;
	} rows[] = {
		{{"shunt_fdb_entries", METRICS_GAUGE, "entries",
			 "Addresses in the filtering table, static ones included."},
			stats.entries},
		{{"shunt_fdb_capacity_entries", METRICS_GAUGE, "entries",
			 "Capacity of the filtering table."},
			stats.capacity},
		{{"shunt_fdb_learned_entries", METRICS_COUNTER, "entries", "Addresses learned."},
			stats.learned},
		{{"shunt_fdb_moved_entries", METRICS_COUNTER, "entries",
			 "Addresses that were seen at another port."},
			stats.moved},
		{{"shunt_fdb_aged_entries", METRICS_COUNTER, "entries",
			 "Addresses removed by ageing."},
			stats.aged},
		{{"shunt_fdb_refused_entries", METRICS_COUNTER, "entries",
			 "Addresses not learned: table full, or port at its limit."},
			stats.refused},
		{{"shunt_fdb_replaced_entries", METRICS_COUNTER, "entries",
			 "Addresses that a full table removed from ports above their share."},
			stats.replaced},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		metrics_text_family(&collect->text, &rows[i].family);
		metrics_text_count(&collect->text, no_labels, rows[i].value);
	}
}

/** Begin a text. The counters of all ports are read once, so that the text is consistent. */
static struct collect *
collect_begin(const struct vswitch *vswitch, enum metrics_style style)
{
	/* Not malloc(): struct counters is aligned to cache lines. */
	struct collect *collect = aligned_alloc(_Alignof(struct collect),
		sizeof(*collect) + vswitch->n_ports * sizeof(collect->port[0]));
	const struct vswitch_port *port;

	if (collect == NULL)
		return NULL;
	collect->vswitch = vswitch;
	collect->n_ports = 0;
	TAILQ_FOREACH(port, &vswitch->ports, next) {
		const struct port_driver *driver = port->port.config.driver;
		struct collect_port *row = &collect->port[collect->n_ports++];

		row->port = port;
		row->missed = driver->missed != NULL ? driver->missed(&port->port) : 0;
		vswitch_port_counters(vswitch, port, &row->counters);
	}
	if (metrics_text_open(&collect->text, style) < 0) {
		free(collect);
		return NULL;
	}
	return collect;
}

char *
metrics_collect(const struct vswitch *vswitch, enum metrics_style style, size_t *length)
{
	struct collect *collect = collect_begin(vswitch, style);
	char *data;

	if (collect == NULL)
		return NULL;
	collect_switch(collect);
	collect_ports(collect);
	collect_queues(collect);
	collect_lcores(collect);
	collect_fdb(collect);
	data = metrics_text_close(&collect->text, length);
	free(collect);
	return data;
}
