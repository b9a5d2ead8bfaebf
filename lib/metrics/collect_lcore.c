/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of lcores and of the queues that they poll. */
#include <stddef.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "metrics/collect_internal.h"

enum { COLLECT_NUMBER_MAX = 12 };

/** Format a number as the value of a label. */
static const char *
collect_format_number(unsigned number, char text[COLLECT_NUMBER_MAX])
{
	snprintf(text, COLLECT_NUMBER_MAX, "%u", number);
	return text;
}

/** Get a counter of a load. @param offset of a uint64_t in struct datapath_load */
static uint64_t
collect_load_member(const struct datapath_load *load, size_t offset)
{
	return *(const uint64_t *)((const char *)load + offset);
}

/** Write a family with one sample for each queue. @param offset of the counter */
static void
collect_each_queue(struct collect *collect, const struct metrics_family *family, size_t offset)
{
	const struct vswitch *vswitch = collect->vswitch;

	metrics_text_family(&collect->text, family);
	for (unsigned i = 0; i < vswitch->n_queues; i++) {
		const struct snapshot_queue *queue = &vswitch->queue[i];
		const struct vswitch_port *port = (const struct vswitch_port *)queue->port;
		char number[COLLECT_NUMBER_MAX];
		struct datapath_load load;
		const struct metrics_label labels[] = {{"port", port->port.config.name},
			{"queue", collect_format_number(queue->queue, number)}, {NULL, NULL}};

		vswitch_queue_load(vswitch, port, queue, &load);
		metrics_text_count(&collect->text, labels, collect_load_member(&load, offset));
	}
}

_Static_assert(offsetof(struct vswitch_port, port) == 0, "a port of the switch begins as a port");

void
collect_queues(struct collect *collect)
{
	static const struct metrics_family packets = {"shunt_queue_packets", METRICS_COUNTER,
		"packets", "Frames received from the queue."};
	static const struct metrics_family cycles = {"shunt_queue_busy_cycles", METRICS_COUNTER,
		"cycles",
		"TSC cycles of polls of the queue that found frames, forwarding included."};

	collect_each_queue(collect, &packets, offsetof(struct datapath_load, packets));
	collect_each_queue(collect, &cycles, offsetof(struct datapath_load, busy_cycles));
}

/** Write a family with one sample for each lcore. @param offset of the counter */
static void
collect_each_lcore(struct collect *collect, const struct metrics_family *family, size_t offset)
{
	const struct vswitch *vswitch = collect->vswitch;

	metrics_text_family(&collect->text, family);
	for (unsigned i = 0; i < vswitch->n_lcores; i++) {
		char number[COLLECT_NUMBER_MAX];
		struct datapath_load load;
		const struct metrics_label labels[] = {
			{"lcore", collect_format_number(vswitch->lcore[i].cpu, number)},
			{NULL, NULL}};

		datapath_lcore_load(vswitch->datapath, vswitch->lcore[i].lcore_id, &load);
		metrics_text_count(&collect->text, labels, collect_load_member(&load, offset));
	}
}

/** Write the histogram of the frames per poll of an lcore. */
static void
collect_bursts(struct collect *collect, const struct vswitch_lcore *lcore,
	const struct metrics_label labels[])
{
	static const double bounds[DATAPATH_BURST_BUCKETS] = {1, 2, 4, 8, 16, 32};
	uint64_t bucket[DATAPATH_BURST_BUCKETS + 1] = {0};
	struct datapath_poll_stats rounds;
	struct datapath_load load;

	datapath_lcore_load(collect->vswitch->datapath, lcore->lcore_id, &load);
	datapath_lcore_poll_stats(collect->vswitch->datapath, lcore->lcore_id, &rounds);
	for (unsigned i = 0; i < DATAPATH_BURST_BUCKETS; i++)
		bucket[i] = rounds.burst[i];
	const struct metrics_histogram histogram = {
		.n = DATAPATH_BURST_BUCKETS + 1, /* the unbounded one is always empty */
		.bucket = bucket,
		.bound = bounds,
		.format = "%.1f",
		.sum = (double)load.packets,
	};
	metrics_text_histogram(&collect->text, labels, &histogram);
}

/** Write the histogram of the duration of rounds of an lcore. */
static void
collect_loops(struct collect *collect, const struct vswitch_lcore *lcore,
	const struct metrics_label labels[])
{
	double bounds[DATAPATH_LOOP_BUCKETS - 1];
	struct datapath_poll_stats rounds;
	double bound = DATAPATH_LOOP_FIRST;

	for (unsigned i = 0; i < DATAPATH_LOOP_BUCKETS - 1; i++, bound *= 2)
		bounds[i] = bound;
	datapath_lcore_poll_stats(collect->vswitch->datapath, lcore->lcore_id, &rounds);
	const struct metrics_histogram histogram = {
		.n = DATAPATH_LOOP_BUCKETS,
		.bucket = rounds.loop,
		.bound = bounds,
		.format = "%.17g",
		.sum = (double)rounds.loop_cycles / (double)rte_get_tsc_hz(),
	};
	metrics_text_histogram(&collect->text, labels, &histogram);
}

/** Write a family with one histogram for each lcore. @param histogram writes one */
static void
collect_each_histogram(struct collect *collect, const struct metrics_family *family,
	void (*histogram)(struct collect *collect, const struct vswitch_lcore *lcore,
		const struct metrics_label labels[]))
{
	const struct vswitch *vswitch = collect->vswitch;

	metrics_text_family(&collect->text, family);
	for (unsigned i = 0; i < vswitch->n_lcores; i++) {
		char number[COLLECT_NUMBER_MAX];
		const struct metrics_label labels[] = {
			{"lcore", collect_format_number(vswitch->lcore[i].cpu, number)},
			{NULL, NULL}};

		histogram(collect, &vswitch->lcore[i], labels);
	}
}

void
collect_lcores(struct collect *collect)
{
	static const struct metrics_family packets = {"shunt_lcore_packets", METRICS_COUNTER,
		"packets", "Frames that the lcore received."};
	static const struct metrics_family busy = {"shunt_lcore_busy_cycles", METRICS_COUNTER,
		"cycles", "TSC cycles of polls that found frames, forwarding included."};
	static const struct metrics_family idle = {"shunt_lcore_idle_cycles", METRICS_COUNTER,
		"cycles", "TSC cycles of polls that found no frame."};
	static const struct metrics_family bursts = {"shunt_lcore_burst_packets", METRICS_HISTOGRAM,
		"packets", "Frames per poll, of polls that found frames."};
	static const struct metrics_family loops = {"shunt_lcore_loop_seconds", METRICS_HISTOGRAM,
		"seconds", "Duration of a round over the queues of the lcore."};

	collect_each_lcore(collect, &packets, offsetof(struct datapath_load, packets));
	collect_each_lcore(collect, &busy, offsetof(struct datapath_load, busy_cycles));
	collect_each_lcore(collect, &idle, offsetof(struct datapath_load, idle_cycles));
	collect_each_histogram(collect, &bursts, collect_bursts);
	collect_each_histogram(collect, &loops, collect_loops);
}
