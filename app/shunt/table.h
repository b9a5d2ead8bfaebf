/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text tables: a header row, aligned columns, optional colours.
 *
 * Cells are added one after the other, row by row. A failed allocation is recorded and reported
 * once, by table_print().
 *
 * Thread safety: a table belongs to its caller; the functions share no state.
 */
#ifndef SHUNT_CLI_TABLE_H
#define SHUNT_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum table_align { TABLE_LEFT, TABLE_RIGHT };

enum table_color { TABLE_PLAIN, TABLE_GREEN, TABLE_YELLOW, TABLE_RED };

/** Title and alignment; the array must live as long as the table. */
struct table_column {
	const char *title;
	enum table_align align;
};

struct table;

/** Create an empty table of n columns. @return NULL with errno set when out of memory */
struct table *table_new(const struct table_column *columns, size_t n);

/**
 * Fill the next cell; the first cell after a full row starts a new row.
 *
 * Control characters are replaced, so that text from a socket is safe to show.
 */
void table_cell(struct table *table, enum table_color color, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Print the header and every row.
 *
 * @param color whether escape sequences may be used
 * @return 0, or -ENOMEM when a cell could not be stored (nothing is printed)
 */
int table_print(const struct table *table, FILE *file, bool color);

/** Release; NULL is ignored. */
void table_free(struct table *table);

#endif
