/* SPDX-License-Identifier: BSD-3-Clause */
/* Write metrics in the OpenMetrics and Prometheus text formats. */
#include "metrics/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

int
metrics_text_open(struct metrics_text *text, enum metrics_style style)
{
	*text = (struct metrics_text){.style = style};
	text->file = open_memstream(&text->data, &text->length);
	return text->file == NULL ? -ENOMEM : 0;
}

/** Get the suffix of the names of a family's samples. */
static const char *
text_suffix(const struct metrics_family *family)
{
	static const char *const suffixes[] = {
		[METRICS_COUNTER] = "_total",
		[METRICS_GAUGE] = "",
		[METRICS_INFO] = "_info",
		[METRICS_HISTOGRAM] = "",
	};

	return suffixes[family->kind];
}

void
metrics_text_family(struct metrics_text *text, const struct metrics_family *family)
{
	static const char *const kinds[METRICS_STYLES][METRICS_HISTOGRAM + 1] = {
		[METRICS_PLAIN] = {"counter", "gauge", "gauge", "histogram"},
		[METRICS_OPEN] = {"counter", "gauge", "info", "histogram"},
	};
	const char *name = family->name;
	const char *suffix = text->style == METRICS_PLAIN ? text_suffix(family) : "";

	text->family = family;
	fprintf(text->file, "# HELP %s%s %s\n", name, suffix, family->help);
	fprintf(text->file, "# TYPE %s%s %s\n", name, suffix, kinds[text->style][family->kind]);
	if (family->unit[0] != '\0')
		fprintf(text->file, "# UNIT %s%s %s\n", name, suffix, family->unit);
}

/** Write the value of a label, with escapes. */
static void
text_write_escaped(FILE *file, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", file);
		else if (*value == '"' || *value == '\\')
			fprintf(file, "\\%c", *value);
		else
			putc(*value, file);
	}
}

/** Write name and labels of a sample, and a space. @param bound of a bucket; NULL = none */
static void
text_begin_sample(struct metrics_text *text, const char *suffix,
	const struct metrics_label labels[], const char *bound)
{
	char before = '{';

	fprintf(text->file, "%s%s", text->family->name, suffix);
	for (; labels->name != NULL; labels++) {
		fprintf(text->file, "%c%s=\"", before, labels->name);
		text_write_escaped(text->file, labels->value);
		putc('"', text->file);
		before = ',';
	}
	if (bound != NULL) {
		fprintf(text->file, "%cle=\"%s\"", before, bound);
		before = ',';
	}
	fputs(before == ',' ? "} " : " ", text->file);
}

void
metrics_text_count(struct metrics_text *text, const struct metrics_label labels[], uint64_t value)
{
	text_begin_sample(text, text_suffix(text->family), labels, NULL);
	fprintf(text->file, "%" PRIu64 "\n", value);
}

void
metrics_text_real(struct metrics_text *text, const struct metrics_label labels[], double value)
{
	text_begin_sample(text, text_suffix(text->family), labels, NULL);
	fprintf(text->file, "%.12g\n", value);
}

void
metrics_text_histogram(struct metrics_text *text, const struct metrics_label labels[],
	const struct metrics_histogram *histogram)
{
	char bound[32];
	uint64_t count = 0;

	for (unsigned i = 0; i < histogram->n; i++) {
		bool last = i + 1 == histogram->n;

		count += histogram->bucket[i];
		if (!last)
			snprintf(bound, sizeof(bound), histogram->format, histogram->bound[i]);
		text_begin_sample(text, "_bucket", labels, last ? "+Inf" : bound);
		fprintf(text->file, "%" PRIu64 "\n", count);
	}
	text_begin_sample(text, "_sum", labels, NULL);
	fprintf(text->file, "%.12g\n", histogram->sum);
	text_begin_sample(text, "_count", labels, NULL);
	fprintf(text->file, "%" PRIu64 "\n", count);
}

char *
metrics_text_close(struct metrics_text *text, size_t *length)
{
	/* Required by OpenMetrics; a comment in the plain format. */
	bool good = fputs("# EOF\n", text->file) >= 0 && !ferror(text->file);

	good = fclose(text->file) == 0 && good;
	if (!good) {
		free(text->data);
		return NULL;
	}
	*length = text->length;
	return text->data;
}
