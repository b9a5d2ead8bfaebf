/* SPDX-License-Identifier: BSD-3-Clause */
/* Text tables. */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { TABLE_CELLS_FIRST = 64, TABLE_GAP = 2 };

struct table_cell {
	char *text;
	enum table_color color;
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	struct table_cell *cells;
	size_t n_cells;
	size_t space;
	bool failed; /**< a cell could not be stored */
};

struct table *
table_new(const struct table_column *columns, size_t n)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table != NULL) {
		table->columns = columns;
		table->n_columns = n;
	}
	return table;
}

/** Make space for another cell. @return 0; -ENOMEM */
static int
table_grow(struct table *table)
{
	size_t space = table->space == 0 ? TABLE_CELLS_FIRST : table->space * 2;
	struct table_cell *cells;

	if (table->n_cells < table->space)
		return 0;
	cells = reallocarray(table->cells, space, sizeof(*cells));
	if (cells == NULL)
		return -ENOMEM;
	table->cells = cells;
	table->space = space;
	return 0;
}

void
table_cell(struct table *table, enum table_color color, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		table->failed = true;
		return;
	}
	if (table_grow(table) != 0) {
		table->failed = true;
		free(text);
		return;
	}
	text_clean(text, text, (size_t)length + 1);
	table->cells[table->n_cells++] = (struct table_cell){.text = text, .color = color};
}

/** @return width of the widest cell of a column, its title included */
static size_t
table_width(const struct table *table, size_t column)
{
	size_t width = text_width(table->columns[column].title);

	for (size_t i = column; i < table->n_cells; i += table->n_columns) {
		size_t n = text_width(table->cells[i].text);

		width = n > width ? n : width;
	}
	return width;
}

/** Print n spaces. */
static void
table_pad(FILE *file, size_t n)
{
	fprintf(file, "%*s", (int)n, "");
}

/** Print a cell and the gap after it; in the last column without trailing spaces. */
static void
table_put(const struct table *table, FILE *file, size_t column, size_t width, const char *escape,
	const char *text)
{
	size_t pad = width - text_width(text);
	bool last = column + 1 == table->n_columns;
	bool right = table->columns[column].align == TABLE_RIGHT;

	if (right)
		table_pad(file, pad);
	if (*escape != '\0')
		fprintf(file, "%s%s\033[0m", escape, text);
	else
		fputs(text, file);
	if (last)
		putc('\n', file);
	else
		table_pad(file, TABLE_GAP + (right ? 0 : pad));
}

/** @return escape sequence that begins a colour */
static const char *
table_escape(enum table_color color)
{
	switch (color) {
	case TABLE_GREEN:
		return "\033[32m";
	case TABLE_YELLOW:
		return "\033[33m";
	case TABLE_RED:
		return "\033[31m";
	default:
		return "";
	}
}

int
table_print(const struct table *table, FILE *file, bool color)
{
	size_t n = table->n_columns;
	size_t *widths = table->failed ? NULL : calloc(n, sizeof(*widths));

	if (widths == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		widths[i] = table_width(table, i);
		table_put(
			table, file, i, widths[i], color ? "\033[1m" : "", table->columns[i].title);
	}
	for (size_t i = 0; i < table->n_cells; i++)
		table_put(table, file, i % n, widths[i % n],
			color ? table_escape(table->cells[i].color) : "", table->cells[i].text);
	free(widths);
	return 0;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}
