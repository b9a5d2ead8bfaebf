/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of a run as JSON and as text. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "mode.h"
#include "base/tsc.h"

enum { AT_CEILING_PERCENT = 95, NAME_WIDTH = 24, VALUE_MAX = 128 };

/** Round to a multiple of unit. */
static double
report_round(double value, double unit)
{
	return (double)(int64_t)(value / unit + 0.5) * unit;
}

/**
 * Set losses, duplicates and reorderings from the flows at their destination VMs, whose frames are
 * all numbered.
 */
static void
report_exact(struct fleet *fleet, struct outcome *outcome)
{
	outcome->lost = 0;
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *from = &fleet->stations[i];
		uint64_t best = 0;

		for (unsigned v = 0; v < fleet->n_vms; v++) {
			const struct sequence *sequence = &fleet->flows[v][i].sequence;

			outcome->duplicated += sequence->duplicated;
			outcome->reordered += sequence->reordered;
			best += from->target == NULL || from->target == fleet->vms[v] ||
						from->second == fleet->vms[v]
					? sequence->received
					: 0;
		}
		uint64_t due = from->count.tx_frames * fleet->traffic.copies;
		outcome->lost += due > best ? due - best : 0;
	}
}

struct outcome
report_outcome(struct fleet *fleet, uint64_t received_in_time)
{
	struct station_counters count = fleet_count(fleet);
	struct outcome outcome = {
		.sent = count.tx_frames,
		.received = count.rx_frames - count.foreign - count.stray,
		.corrupted = count.corrupted,
		.reordered = count.late,
		.pps = fleet->seconds > 0 ? (double)received_in_time / fleet->seconds : 0,
	};

	uint64_t due = outcome.sent * fleet->traffic.copies;

	outcome.lost = due > outcome.received ? due - outcome.received : 0;
	if (fleet->traffic.sample == 1)
		report_exact(fleet, &outcome);
	return outcome;
}

json_t *
report_latency(const struct fleet *fleet)
{
	static struct histogram all;
	double us = 16e6 / (double)tsc_hz();

	memset(&all, 0, sizeof(all));
	for (unsigned i = 0; i < fleet->n_stations; i++)
		histogram_merge(&all, fleet->stations[i].latency);
	return json_pack("{s:f, s:f, s:f, s:f, s:I}", "p50",
		report_round((double)histogram_quantile(&all, 0.5) * us, 0.01), "p99",
		report_round((double)histogram_quantile(&all, 0.99) * us, 0.01), "p999",
		report_round((double)histogram_quantile(&all, 0.999) * us, 0.01), "max",
		report_round((double)all.max * us, 0.01), "frames", (json_int_t)all.total);
}

/** Build the row of a VM. */
static json_t *
report_vm(const struct fleet *fleet, unsigned v)
{
	const struct vm *vm = fleet->vms[v];
	uint64_t tx = 0, rx = 0;
	char features[20];
	bool ordered = true;

	for (unsigned i = 0; i < fleet->n_stations; i++) {
		const struct station *station = &fleet->stations[i];

		if (station->vm != vm)
			continue;
		tx += station->count.tx_frames;
		rx += station->count.rx_frames;
		ordered &= station->rx->ordered && station->tx->ordered;
	}
	snprintf(features, sizeof(features), "0x%" PRIx64, vm->features);
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:b, s:I, s:I}", "name",
		vm->config.name, "socket", vm->config.socket, "tx_packets", (json_int_t)tx,
		"rx_packets", (json_int_t)rx, "features", features, "ring",
		vm->config.packed ? "packed" : "split", "in_order", ordered, "hugepages",
		vm->memory.huge, "queues", (json_int_t)vm->pairs, "size",
		(json_int_t)vm->config.size);
}

/** Add effort, reconnections and outages of the workers. */
static void
report_workers(const struct fleet *fleet, json_t *result)
{
	double share, cycles, outage = 0;
	unsigned reconnected = 0;

	fleet_effort(fleet, &share, &cycles);
	for (unsigned i = 0; i < fleet->n_workers; i++) {
		reconnected += fleet->workers[i].reconnected;
		if (fleet->workers[i].outage > outage)
			outage = fleet->workers[i].outage;
	}
	json_object_set_new(result, "cycles_per_frame", json_real(report_round(cycles, 0.1)));
	json_object_set_new(result, "generator_busy", json_real(report_round(share, 0.001)));
	json_object_set_new(result, "threads", json_integer(fleet->n_workers));
	if (reconnected > 0) {
		json_object_set_new(result, "reconnected", json_integer(reconnected));
		json_object_set_new(
			result, "outage_ms", json_real(report_round(outage * 1e3, 0.001)));
	}
}

/** Add the counters of checked frames. */
static void
report_counts(const struct fleet *fleet, json_t *result)
{
	struct station_counters count = fleet_count(fleet);

	json_object_set_new(result, "checked", json_integer((json_int_t)count.checked));
	json_object_set_new(result, "sample", json_integer(fleet->traffic.sample));
	json_object_set_new(result, "stray", json_integer((json_int_t)count.stray));
	json_object_set_new(result, "foreign", json_integer((json_int_t)count.foreign));
	if (fleet->traffic.sample > 1) {
		json_object_set_new(
			result, "sampled_missing", json_integer((json_int_t)count.missing));
		json_object_set_new(
			result, "sampled_unexpected", json_integer((json_int_t)count.unexpected));
	}
}

/** @return mean size of the frames that the rate refers to */
static double
report_mean(const struct fleet *fleet)
{
	struct station_counters count = fleet_count(fleet);

	if (!(fleet->settings->mode->flags & MODE_ANY_FRAME))
		return frame_shape_mean(&fleet->traffic.shape) + FRAME_FCS;
	if (count.tx_bytes > 0)
		return (double)count.tx_bytes / (double)count.tx_frames + FRAME_FCS;
	return count.rx_bytes > 0 ? (double)count.rx_bytes / (double)count.rx_frames + FRAME_FCS
				  : 0;
}

void
report_traffic(struct fleet *fleet, const struct outcome *outcome, json_t *result)
{
	double mean = report_mean(fleet);
	json_t *vms = json_array();

	json_object_set_new(result, "frame",
		json_string(fleet->settings->mode->flags & MODE_ANY_FRAME
				    ? "any"
				    : fleet->settings->options.frame));
	json_object_set_new(result, "seconds", json_real(report_round(fleet->seconds, 1e-6)));
	json_object_set_new(result, "tx_packets", json_integer((json_int_t)outcome->sent));
	json_object_set_new(result, "rx_packets", json_integer((json_int_t)outcome->received));
	json_object_set_new(result, "lost", json_integer((json_int_t)outcome->lost));
	json_object_set_new(result, "duplicated", json_integer((json_int_t)outcome->duplicated));
	json_object_set_new(result, "reordered", json_integer((json_int_t)outcome->reordered));
	json_object_set_new(result, "corrupted", json_integer((json_int_t)outcome->corrupted));
	json_object_set_new(result, "mpps", json_real(report_round(outcome->pps / 1e6, 0.000001)));
	json_object_set_new(
		result, "gbps", json_real(report_round(outcome->pps * mean * 8 / 1e9, 0.000001)));
	json_object_set_new(result, "latency_us", report_latency(fleet));
	json_object_set_new(result, "touch", json_boolean(fleet->traffic.touch));
	report_counts(fleet, result);
	report_workers(fleet, result);
	json_object_set_new(result, "tsc_mhz", json_integer((json_int_t)(tsc_hz() / 1000000)));
	for (unsigned v = 0; v < fleet->n_vms; v++)
		json_array_append_new(vms, report_vm(fleet, v));
	json_object_set_new(result, "per_vm", vms);
}

void
report_ceiling(json_t *result, double ceiling_pps)
{
	double mpps = json_number_value(json_object_get(result, "mpps"));
	double busy = json_number_value(json_object_get(result, "generator_busy"));
	bool at = mpps * 1e6 * 100 >= ceiling_pps * AT_CEILING_PERCENT ||
		  busy * 100 >= AT_CEILING_PERCENT;
	char text[32];

	snprintf(text, sizeof(text), "%s%.3f", at ? ">= " : "", mpps);
	json_object_set_new(
		result, "ceiling_mpps", json_real(report_round(ceiling_pps / 1e6, 0.01)));
	json_object_set_new(result, "at_ceiling", json_boolean(at));
	json_object_set_new(result, "mpps_text", json_string(text));
}

bool
report_is_bad(const json_t *result)
{
	static const char *const names[] = {"corrupted", "duplicated", "reordered"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_integer_value(json_object_get(result, names[i])) > 0)
			return true;
	return false;
}

/** Format a value as text. */
static void
report_value(const json_t *value, char *text, size_t size)
{
	if (json_is_string(value))
		snprintf(text, size, "%s", json_string_value(value));
	else if (json_is_real(value))
		snprintf(text, size, "%.6g", json_real_value(value));
	else if (json_is_integer(value))
		snprintf(text, size, "%lld", (long long)json_integer_value(value));
	else
		snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
}

/** Print the members of an object in one line. */
static void
report_line(const char *title, json_t *object, FILE *file)
{
	char text[VALUE_MAX];
	const char *name;
	json_t *value;

	fprintf(file, "%-*s", NAME_WIDTH, title);
	json_object_foreach(object, name, value) {
		report_value(value, text, sizeof(text));
		fprintf(file, "%s %s  ", name, text);
	}
	putc('\n', file);
}

/** @return width of a column of a list of objects */
static int
report_width(json_t *list, const char *name)
{
	size_t width = strlen(name), i;
	char text[VALUE_MAX];
	json_t *row;

	json_array_foreach(list, i, row) {
		report_value(json_object_get(row, name), text, sizeof(text));
		if (strlen(text) > width)
			width = strlen(text);
	}
	return (int)width;
}

/** Print a list of objects with equal members as a table. */
static void
report_rows(const char *title, json_t *list, FILE *file)
{
	json_t *first = json_array_get(list, 0), *row, *value;
	char text[VALUE_MAX];
	const char *name;
	size_t i;

	fprintf(file, "\n%s\n", title);
	json_object_foreach(first, name, value)
		fprintf(file, "%*s  ", report_width(list, name), name);
	json_array_foreach(list, i, row) {
		putc('\n', file);
		json_object_foreach(first, name, value) {
			report_value(json_object_get(row, name), text, sizeof(text));
			fprintf(file, "%*s  ", report_width(list, name), text);
		}
	}
	putc('\n', file);
}

void
report_print(json_t *result, FILE *file)
{
	const char *name;
	char text[VALUE_MAX];
	json_t *value, *shown = json_object_get(result, "mpps_text");

	json_object_foreach(result, name, value) {
		if (json_is_array(value) || value == shown)
			continue;
		if (json_is_object(value)) {
			report_line(name, value, file);
			continue;
		}
		/* Has ">=" where the generator is the limit. */
		report_value(shown != NULL && strcmp(name, "mpps") == 0 ? shown : value, text,
			VALUE_MAX);
		fprintf(file, "%-*s%s\n", NAME_WIDTH, name, text);
	}
	json_object_foreach(result, name, value)
		if (json_is_array(value))
			report_rows(name, value, file);
}
