/* SPDX-License-Identifier: BSD-3-Clause */
/* Results of commands as text. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

const char *
show_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL || *text == '\0' ? "-" : text;
}

uint64_t
show_number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value < 0 ? 0 : (uint64_t)value;
}

void
show_count_cell(struct table *table, enum table_color color, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	char text[TEXT_NUMBER_MAX];

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		table_cell(table, TABLE_PLAIN, "-");
	else
		table_cell(table, color, "%s", text_count(show_number(object, key), text));
}

void
show_drops_cell(struct table *table, const json_t *object, const char *key)
{
	enum table_color color = show_number(object, key) > 0 ? TABLE_YELLOW : TABLE_PLAIN;

	show_count_cell(table, color, object, key);
}

int
show_table(const struct show *show, struct table *table)
{
	int code = table == NULL ? -ENOMEM : table_print(table, show->file, show->color);

	table_free(table);
	return code;
}

void
show_text(const struct show *show, const char *text)
{
	while (*text != '\0') {
		size_t control = *text == '\n' || *text == '\t' ? 0 : text_control(text);

		putc(control > 0 ? '?' : *text, show->file);
		text += control > 0 ? control : 1;
	}
}

/** Print a line with the numbers of a list: "1 2 3". */
static void
show_numbers(const struct show *show, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		putc('-', show->file);
	json_array_foreach(list, i, item)
		fprintf(show->file, "%s%" JSON_INTEGER_FORMAT, i > 0 ? " " : "",
			json_integer_value(item));
	putc('\n', show->file);
}

int
show_status(const struct show *show, const json_t *result)
{
	const json_t *fdb = json_object_get(result, "fdb");
	char used[TEXT_NUMBER_MAX];
	char space[TEXT_NUMBER_MAX];
	char text[64];

	if (!json_is_object(result))
		return -EPROTO;
	fprintf(show->file, "version  %s", text_clean(show_string(result, "version"), text, 64));
	fprintf(show->file, " (DPDK %s)\n", text_clean(show_string(result, "dpdk"), text, 64));
	fprintf(show->file, "pid      %" PRIu64 "\n", show_number(result, "pid"));
	fprintf(show->file, "uptime   %s\n", text_duration(show_number(result, "uptime_s"), used));
	fprintf(show->file, "ports    %" PRIu64 "\n", show_number(result, "ports"));
	fputs("lcores   ", show->file);
	show_numbers(show, json_object_get(result, "lcores"));
	fprintf(show->file, "fdb      %s of %s entries\n",
		text_count(show_number(fdb, "entries"), used),
		text_count(show_number(fdb, "capacity"), space));
	return 0;
}

/** Print a number of objects with what was done to them: "flushed 3 entries". */
static int
show_total(const struct show *show, const json_t *result, const char *key, const char *one,
	const char *many)
{
	uint64_t n = show_number(result, key);
	char text[TEXT_NUMBER_MAX];

	if (!json_is_integer(json_object_get(result, key)))
		return -EPROTO;
	fprintf(show->file, "%s %s %s\n", key, text_count(n, text), n == 1 ? one : many);
	return 0;
}

int
show_flushed(const struct show *show, const json_t *result)
{
	return show_total(show, result, "flushed", "entry", "entries");
}

int
show_moved(const struct show *show, const json_t *result)
{
	return show_total(show, result, "moved", "queue", "queues");
}

int
show_config(const struct show *show, const json_t *result)
{
	const char *yaml = json_string_value(json_object_get(result, "yaml"));

	if (yaml == NULL)
		return -EPROTO;
	show_text(show, yaml);
	if (*yaml != '\0' && yaml[strlen(yaml) - 1] != '\n')
		putc('\n', show->file);
	return 0;
}

int
show_saved(const struct show *show, const json_t *result)
{
	if (!json_is_string(json_object_get(result, "file")))
		return -EPROTO;
	fputs("saved ", show->file);
	show_text(show, show_string(result, "file"));
	putc('\n', show->file);
	return 0;
}

int
show_applied(const struct show *show, const json_t *result)
{
	static const char *const keys[] = {"added", "removed", "changed"};
	size_t total = 0;

	if (!json_is_object(result))
		return -EPROTO;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *names = json_object_get(result, keys[i]);
		const json_t *name;
		size_t j;

		if (json_array_size(names) == 0)
			continue;
		fprintf(show->file, "%-7s", keys[i]);
		json_array_foreach(names, j, name) {
			putc(' ', show->file);
			show_text(show, json_is_string(name) ? json_string_value(name) : "?");
			total++;
		}
		putc('\n', show->file);
	}
	if (total == 0)
		fputs("nothing to change\n", show->file);
	return 0;
}
