/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs and their ports as a table. A trunk may have thousands: equal neighbours are merged. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SHOW_VLAN_PORTS = 8 }; /* limit of names in a cell */

/** Add a cell with the names of the first SHOW_VLAN_PORTS ports. */
static void
show_members_cell(struct table *table, const json_t *ports, bool tagged)
{
	const json_t *port;
	char *text = NULL;
	size_t length = 0, n = 0, i;
	FILE *file = open_memstream(&text, &length);

	if (file == NULL) {
		table_cell(table, TABLE_PLAIN, "?");
		return;
	}
	json_array_foreach(ports, i, port) {
		if (json_is_true(json_object_get(port, "tagged")) != tagged)
			continue;
		if (n++ < SHOW_VLAN_PORTS)
			fprintf(file, "%s%s", n > 1 ? " " : "", show_string(port, "port"));
	}
	if (n > SHOW_VLAN_PORTS)
		fprintf(file, " and %zu more", n - SHOW_VLAN_PORTS);
	fclose(file);
	table_cell(table, TABLE_PLAIN, "%s", n > 0 ? text : "-");
	free(text);
}

/** @return number of consecutive VLANs with the same ports, from a row on */
static size_t
show_vlan_run(const json_t *rows, size_t first)
{
	const json_t *row = json_array_get(rows, first);
	uint64_t vlan = show_number(row, "vlan");
	size_t n = 1;

	for (;; n++) {
		const json_t *next = json_array_get(rows, first + n);
		if (next == NULL || show_number(next, "vlan") != vlan + n ||
			!json_equal(json_object_get(next, "ports"), json_object_get(row, "ports")))
			return n;
	}
}

/** Add the cells of n consecutive VLANs with the same ports, from a row on. */
static void
show_vlan_row(struct table *table, const json_t *rows, size_t first, size_t n)
{
	const json_t *row = json_array_get(rows, first), *ports = json_object_get(row, "ports");
	char text[TEXT_NUMBER_MAX];
	uint64_t entries = 0;

	for (size_t i = 0; i < n; i++)
		entries += show_number(json_array_get(rows, first + i), "fdb_entries");
	if (n == 1)
		table_cell(table, TABLE_PLAIN, "%" PRIu64, show_number(row, "vlan"));
	else
		table_cell(table, TABLE_PLAIN, "%" PRIu64 "-%" PRIu64, show_number(row, "vlan"),
			show_number(row, "vlan") + n - 1);
	table_cell(table, TABLE_PLAIN, "%s", text_count(entries, text));
	show_members_cell(table, ports, false);
	show_members_cell(table, ports, true);
}

int
show_vlan_list(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"VLAN", TABLE_RIGHT},
		{"ADDRESSES", TABLE_RIGHT},
		{"UNTAGGED", TABLE_LEFT},
		{"TAGGED", TABLE_LEFT},
	};
	struct table *table;
	size_t n;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0) {
		fprintf(show->file, "no VLANs: every port carries all of them\n");
		return 0;
	}
	table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	if (table == NULL)
		return -ENOMEM;
	for (size_t first = 0; first < json_array_size(result); first += n) {
		n = show_vlan_run(result, first);
		show_vlan_row(table, result, first, n);
	}
	return show_table(show, table);
}
