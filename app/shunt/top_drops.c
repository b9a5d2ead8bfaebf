/* SPDX-License-Identifier: BSD-3-Clause */
/* Drops and their rates. */
#include "top_drops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

enum { DROPS_KEY_MAX = 160 };

struct drops {
	json_t *list;   /**< newest sample, which rows point into; or NULL */
	json_t *before; /**< its packets by port, direction and reason; or NULL */
	double when;
	struct drops_row *rows;
	size_t n;
};

struct drops *
top_drops_new(void)
{
	return calloc(1, sizeof(struct drops));
}

/** Write the key of a row, by which samples are compared. @return key */
static const char *
top_drops_key(const struct drops_row *row, char key[DROPS_KEY_MAX])
{
	snprintf(key, DROPS_KEY_MAX, "%.63s %.31s %.63s", row->port, row->direction, row->reason);
	return key;
}

/** Build a row with its rate. @param item of the new sample @param seconds since the last one */
static struct drops_row
top_drops_row(const struct drops *drops, const json_t *item, double seconds)
{
	struct drops_row row = {
		.port = show_string(item, "port"),
		.direction = show_string(item, "direction"),
		.reason = show_string(item, "reason"),
		.owner = show_string(item, "owner"),
		.packets = show_number(item, "packets"),
	};
	char key[DROPS_KEY_MAX];
	uint64_t before = (uint64_t)json_integer_value(
		json_object_get(drops->before, top_drops_key(&row, key)));

	/* A new row, or one of a new port, started at 0. */
	if (drops->before != NULL && seconds > 0)
		row.rate = (double)(row.packets - (before <= row.packets ? before : 0)) / seconds;
	return row;
}

/** Order for qsort(): by rate and packets, descending, then by port. */
static int
top_drops_compare(const void *a, const void *b)
{
	const struct drops_row *one = a;
	const struct drops_row *other = b;

	if (one->rate != other->rate)
		return one->rate < other->rate ? 1 : -1;
	if (one->packets != other->packets)
		return one->packets < other->packets ? 1 : -1;
	return strverscmp(one->port, other->port);
}

/** Index the packets of all rows by key, for the comparison with the next sample. */
static json_t *
top_drops_index(const struct drops *drops)
{
	json_t *index = json_object();
	char key[DROPS_KEY_MAX];

	for (size_t i = 0; i < drops->n; i++)
		json_object_set_new(index, top_drops_key(&drops->rows[i], key),
			json_integer((json_int_t)drops->rows[i].packets));
	return index;
}

int
top_drops_update(struct drops *drops, json_t *list, double now)
{
	size_t n = json_array_size(list);
	struct drops_row *rows;

	if (!json_is_array(list))
		return -EPROTO;
	rows = calloc(n + 1, sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		rows[i] = top_drops_row(drops, json_array_get(list, i), now - drops->when);
	if (n > 1)
		qsort(rows, n, sizeof(rows[0]), top_drops_compare);
	free(drops->rows);
	json_decref(drops->list);
	json_decref(drops->before);
	drops->rows = rows;
	drops->n = n;
	drops->list = json_incref(list);
	drops->before = top_drops_index(drops);
	drops->when = now;
	return 0;
}

const struct drops_row *
top_drops_rows(const struct drops *drops, size_t *n)
{
	*n = drops->n;
	return drops->rows;
}

void
top_drops_free(struct drops *drops)
{
	if (drops == NULL)
		return;
	json_decref(drops->list);
	json_decref(drops->before);
	free(drops->rows);
	free(drops);
}
