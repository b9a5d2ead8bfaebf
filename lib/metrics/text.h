/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metrics as text: OpenMetrics 1.0.0 (https://openmetrics.io), or the plain text format of
 * Prometheus, in which a family has the name of its samples, suffix included, and info is a gauge.
 *
 * A text is written in order: each family, followed by its samples. Lack of memory is reported by
 * metrics_text_close().
 *
 * Thread safety: no shared state; a text belongs to its caller.
 */
#ifndef SHUNT_METRICS_TEXT_H
#define SHUNT_METRICS_TEXT_H

#include <stdint.h>
#include <stdio.h>

enum metrics_style { METRICS_PLAIN, METRICS_OPEN, METRICS_STYLES };

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_INFO, METRICS_HISTOGRAM };

/** A metric family. The strings must outlive the text. */
struct metrics_family {
	const char *name; /**< without suffix; ends with the unit, if there is one */
	enum metrics_kind kind;
	const char *unit; /**< "" = none */
	const char *help; /**< one line */
};

struct metrics_label {
	const char *name; /**< NULL terminates a list */
	const char *value;
};

/** A histogram of observations. */
struct metrics_histogram {
	unsigned n;             /**< number of buckets; the last one has no upper bound */
	const uint64_t *bucket; /**< observations in each bucket, not cumulative */
	const double *bound;    /**< inclusive upper bounds, n - 1 of them */
	const char *format;     /**< printf format of a bound */
	double sum;             /**< of all observations */
};

struct metrics_text {
	enum metrics_style style;
	const struct metrics_family *family; /**< family of the next samples */
	FILE *file;
	char *data;
	size_t length;
};

/** Begin a text. @return 0; -ENOMEM */
int metrics_text_open(struct metrics_text *text, enum metrics_style style);

/** Begin a family; each at most once in a text. */
void metrics_text_family(struct metrics_text *text, const struct metrics_family *family);

/** Add a sample of a counter, gauge or info. @param labels terminated by a NULL name */
void metrics_text_count(
	struct metrics_text *text, const struct metrics_label labels[], uint64_t value);

/** Add a sample whose value is a real number; otherwise as metrics_text_count(). */
void metrics_text_real(
	struct metrics_text *text, const struct metrics_label labels[], double value);

/** Add the samples of a histogram. */
void metrics_text_histogram(struct metrics_text *text, const struct metrics_label labels[],
	const struct metrics_histogram *histogram);

/**
 * End a text.
 *
 * @param length receives the length in bytes
 * @return text to be freed by free(); NULL when there was no memory
 */
char *metrics_text_close(struct metrics_text *text, size_t *length);

#endif
