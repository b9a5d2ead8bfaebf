/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metrics as text: OpenMetrics 1.0.0 (https://openmetrics.io), or what came before it, the plain
 * format of Prometheus, which names counters by their samples and otherwise is the same.
 *
 * A text is written from front to end: family by family, the samples of each behind it. When
 * memory is short that is known at the end.
 *
 * Thread safety: a text belongs to its caller; no shared state.
 */
#ifndef SHUNT_METRICS_TEXT_H
#define SHUNT_METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

enum metrics_style { METRICS_PLAIN, METRICS_OPEN, METRICS_STYLES };

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_INFO, METRICS_HISTOGRAM };

/** A name with what it means; all text is constant. */
struct metrics_family {
	const char *name; /**< ends with the unit, if there is one */
	enum metrics_kind kind;
	const char *unit; /**< "" = none */
	const char *help; /**< one line */
};

struct metrics_label {
	const char *name; /**< NULL ends a list */
	const char *value;
};

/** Observations by size. */
struct metrics_histogram {
	unsigned n;             /**< buckets, the last one for all that is larger */
	const uint64_t *bucket; /**< observations in each bucket alone */
	const double *bound;    /**< up to which size each is, n - 1 of them */
	const char *format;     /**< of bounds, for printf */
	double sum;             /**< of all observations */
};

struct metrics_text {
	enum metrics_style style;
	const struct metrics_family *family; /**< the one that samples belong to */
	FILE *file;
	char *data;
	size_t length;
};

/** Begin a text. @return 0 or -ENOMEM */
int metrics_text_open(struct metrics_text *text, enum metrics_style style);

/** Begin a family; each may come once. */
void metrics_text_family(struct metrics_text *text, const struct metrics_family *family);

/** Add a sample of a counter, gauge or info. @param labels ended by a NULL name */
void metrics_text_count(
	struct metrics_text *text, const struct metrics_label labels[], uint64_t value);

/** The same for what is no whole number. */
void metrics_text_real(
	struct metrics_text *text, const struct metrics_label labels[], double value);

/** Add the samples of a histogram. */
void metrics_text_histogram(struct metrics_text *text, const struct metrics_label labels[],
	const struct metrics_histogram *histogram);

/** End a text. @return what to free(), with its length; NULL when there was no memory */
char *metrics_text_close(struct metrics_text *text, size_t *length);

#endif
