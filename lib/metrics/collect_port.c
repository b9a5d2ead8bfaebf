/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of ports: counters, links, dropped frames by reason. */
#include <stddef.h>

#include "features/state.h"
#include "metrics/collect_internal.h"

enum { COLLECT_MEGABIT_BYTES = 125000 };

/** Families of the counters of ports. */
static const struct {
	struct metrics_family family;
	size_t offset; /**< in struct counters */
} port_counters[] = {
	{{"shunt_port_receive_packets", METRICS_COUNTER, "packets",
		 "Frames that the switch received from the port."},
		offsetof(struct counters, rx_packets)},
	{{"shunt_port_receive_bytes", METRICS_COUNTER, "bytes",
		 "Bytes that the switch received from the port, without FCS."},
		offsetof(struct counters, rx_bytes)},
	{{"shunt_port_forwarded_packets", METRICS_COUNTER, "packets",
		 "Frames from the port that were handed to at least one other port."},
		offsetof(struct counters, rx_forwarded)},
	{{"shunt_port_copied_packets", METRICS_COUNTER, "packets",
		 "Hand-overs of frames from the port; a flooded frame counts for each port."},
		offsetof(struct counters, rx_copies)},
	{{"shunt_port_transmit_packets", METRICS_COUNTER, "packets",
		 "Frames that the switch sent to the port."},
		offsetof(struct counters, tx_packets)},
	{{"shunt_port_transmit_bytes", METRICS_COUNTER, "bytes",
		 "Bytes that the switch sent to the port, without FCS."},
		offsetof(struct counters, tx_bytes)},
};

enum { PORT_COUNTERS = sizeof(port_counters) / sizeof(port_counters[0]) };

/** @return name of a port */
static const char *
collect_port_name(const struct collect_port *row)
{
	return row->port->port.config.name;
}

/** Write a family with one sample per port. */
static void
collect_each_port(struct collect *collect, const struct metrics_family *family,
	uint64_t (*value)(const struct collect *collect, const struct collect_port *row))
{
	metrics_text_family(&collect->text, family);
	for (unsigned i = 0; i < collect->n_ports; i++) {
		const struct metrics_label labels[] = {
			{"port", collect_port_name(&collect->port[i])}, {NULL, NULL}};

		metrics_text_count(&collect->text, labels, value(collect, &collect->port[i]));
	}
}

/** collect_each_port() value: 1 if the port is enabled and its link is up, else 0. */
static uint64_t
collect_port_up(const struct collect *collect, const struct collect_port *row)
{
	return collect->vswitch->up[row->port->port.id];
}

/** collect_each_port() value: speed of the link in bytes per second. */
static uint64_t
collect_port_speed(const struct collect *collect, const struct collect_port *row)
{
	(void)collect;
	return (uint64_t)row->port->link.speed * COLLECT_MEGABIT_BYTES;
}

/** collect_each_port() value: frames that the device lost. */
static uint64_t
collect_port_missed(const struct collect *collect, const struct collect_port *row)
{
	(void)collect;
	return row->missed;
}

/** collect_each_port() value: frames that wait in features. */
static uint64_t
collect_port_backlog(const struct collect *collect, const struct collect_port *row)
{
	(void)collect;
	return features_backlog(&row->port->port);
}

/** Write the type of each port as a label. */
static void
collect_types(struct collect *collect)
{
	static const struct metrics_family family = {
		"shunt_port", METRICS_INFO, "", "The type of the port."};

	metrics_text_family(&collect->text, &family);
	for (unsigned i = 0; i < collect->n_ports; i++) {
		const struct collect_port *row = &collect->port[i];
		const struct metrics_label labels[] = {{"port", collect_port_name(row)},
			{"type", row->port->port.config.driver->type->name}, {NULL, NULL}};

		metrics_text_count(&collect->text, labels, 1);
	}
}

/** Write a family with a counter of each port. @param offset of it in struct counters */
static void
collect_counter(struct collect *collect, const struct metrics_family *family, size_t offset)
{
	metrics_text_family(&collect->text, family);
	for (unsigned i = 0; i < collect->n_ports; i++) {
		const struct collect_port *row = &collect->port[i];
		const struct metrics_label labels[] = {
			{"port", collect_port_name(row)}, {NULL, NULL}};

		metrics_text_count(&collect->text, labels,
			*(const uint64_t *)((const char *)&row->counters + offset));
	}
}

/** Write the drops of one port in one direction. */
static void
collect_drops_at(struct collect *collect, const struct collect_port *row, const char *direction,
	const uint64_t drops[DROP_COUNT])
{
	for (int reason = 0; reason < DROP_COUNT; reason++) {
		const struct metrics_label labels[] = {{"port", collect_port_name(row)},
			{"direction", direction}, {"reason", drop_word(reason)},
			{"owner", drop_owner_word(reason, port_is_vm(&row->port->port))},
			{NULL, NULL}};

		if (drops[reason] > 0)
			metrics_text_count(&collect->text, labels, drops[reason]);
	}
}

/** Write the drops of ports. Reasons with no drop at a port are left out, as in RPC `drops`. */
static void
collect_drops(struct collect *collect)
{
	static const struct metrics_family family = {"shunt_port_dropped_packets", METRICS_COUNTER,
		"packets", "Frames dropped at the port, by direction, reason and owner."};

	metrics_text_family(&collect->text, &family);
	for (unsigned i = 0; i < collect->n_ports; i++) {
		collect_drops_at(
			collect, &collect->port[i], "rx", collect->port[i].counters.rx_drops);
		collect_drops_at(
			collect, &collect->port[i], "tx", collect->port[i].counters.tx_drops);
	}
}

void
collect_ports(struct collect *collect)
{
	static const struct metrics_family up = {"shunt_port_up", METRICS_GAUGE, "",
		"1 when the port is enabled and its link is up."};
	static const struct metrics_family speed = {"shunt_port_speed_bytes", METRICS_GAUGE,
		"bytes", "Speed of the link in bytes per second; 0 when unknown."};
	static const struct metrics_family missed = {"shunt_port_missed_packets", METRICS_COUNTER,
		"packets", "Frames that the device lost before the switch could receive them."};
	static const struct metrics_family backlog = {"shunt_port_held_packets", METRICS_GAUGE,
		"packets", "Frames that wait for the port's rate-out."};

	collect_types(collect);
	collect_each_port(collect, &up, collect_port_up);
	collect_each_port(collect, &speed, collect_port_speed);
	for (unsigned i = 0; i < PORT_COUNTERS; i++)
		collect_counter(collect, &port_counters[i].family, port_counters[i].offset);
	collect_each_port(collect, &missed, collect_port_missed);
	collect_each_port(collect, &backlog, collect_port_backlog);
	collect_drops(collect);
}
