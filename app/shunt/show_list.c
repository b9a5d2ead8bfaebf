/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of ports, lcores, addresses and the like as tables. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOW_COLUMNS(array) (sizeof(array) / sizeof((array)[0]))

/** Print a line in place of an empty table. @return 0 */
static int
show_empty(const struct show *show, const char *text)
{
	fprintf(show->file, "%s\n", text);
	return 0;
}

/** Add a cell with a number of bytes, with a decimal prefix. */
static void
show_bytes_cell(struct table *table, const json_t *object, const char *key)
{
	char text[TEXT_NUMBER_MAX];

	table_cell(table, TABLE_PLAIN, "%s", text_si((double)show_number(object, key), text));
}

/** Add a cell with the state of a link, coloured. */
static void
show_link_cell(struct table *table, const json_t *port)
{
	const char *link = show_string(port, "link");
	enum table_color color = TABLE_PLAIN;

	if (strcmp(link, "up") == 0)
		color = TABLE_GREEN;
	else if (strcmp(link, "down") == 0)
		color = TABLE_RED;
	table_cell(table, color, "%s", link);
}

/** Add the cells of a port. */
static void
show_port_row(struct table *table, const json_t *port)
{
	table_cell(table, TABLE_PLAIN, "%s", show_string(port, "name"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(port, "type"));
	show_link_cell(table, port);
	show_count_cell(table, TABLE_PLAIN, port, "numa_node");
	table_cell(table, TABLE_PLAIN, "%" PRIu64 "/%" PRIu64, show_number(port, "rx_queues"),
		show_number(port, "tx_queues"));
	show_count_cell(table, TABLE_PLAIN, port, "rx_packets");
	show_bytes_cell(table, port, "rx_bytes");
	show_drops_cell(table, port, "rx_drops");
	show_count_cell(table, TABLE_PLAIN, port, "tx_packets");
	show_bytes_cell(table, port, "tx_bytes");
	show_drops_cell(table, port, "tx_drops");
}

int
show_port_list(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"PORT", TABLE_LEFT},
		{"TYPE", TABLE_LEFT},
		{"LINK", TABLE_LEFT},
		{"NUMA", TABLE_RIGHT},
		{"QUEUES", TABLE_RIGHT},
		{"RX-PACKETS", TABLE_RIGHT},
		{"RX-BYTES", TABLE_RIGHT},
		{"RX-DROPS", TABLE_RIGHT},
		{"TX-PACKETS", TABLE_RIGHT},
		{"TX-BYTES", TABLE_RIGHT},
		{"TX-DROPS", TABLE_RIGHT},
	};
	struct table *table;
	const json_t *port;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0)
		return show_empty(show, "no ports yet: shunt port add NAME TYPE key=value...");
	table = table_new(columns, SHOW_COLUMNS(columns));
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach(result, i, port)
		show_port_row(table, port);
	return show_table(show, table);
}

/** Add the cells of an FDB entry. */
static void
show_fdb_row(struct table *table, const json_t *entry)
{
	table_cell(table, TABLE_PLAIN, "%s", show_string(entry, "mac"));
	show_count_cell(table, TABLE_PLAIN, entry, "vlan");
	table_cell(table, TABLE_PLAIN, "%s", show_string(entry, "port"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(entry, "type"));
	if (strcmp(show_string(entry, "type"), "static") == 0)
		table_cell(table, TABLE_PLAIN, "-");
	else
		table_cell(table, TABLE_PLAIN, "%" PRIu64 " s", show_number(entry, "age_s"));
}

int
show_fdb_list(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"MAC", TABLE_LEFT},
		{"VLAN", TABLE_RIGHT},
		{"PORT", TABLE_LEFT},
		{"TYPE", TABLE_LEFT},
		{"AGE", TABLE_RIGHT},
	};
	struct table *table;
	const json_t *entry;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0)
		return show_empty(show, "no addresses: none learned, none added");
	table = table_new(columns, SHOW_COLUMNS(columns));
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach(result, i, entry)
		show_fdb_row(table, entry);
	return show_table(show, table);
}

/** Add the cells of a member, router or querier. */
static void
show_group_row(struct table *table, const json_t *row)
{
	const char *what = json_object_get(row, "address") != NULL ? "address" : "group";

	show_count_cell(table, TABLE_PLAIN, row, "vlan");
	table_cell(table, TABLE_PLAIN, "%s", show_string(row, "type"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(row, what));
	table_cell(table, TABLE_PLAIN, "%s", show_string(row, "port"));
	if (json_object_get(row, "expires_s") == NULL)
		table_cell(table, TABLE_PLAIN, "-");
	else
		table_cell(table, TABLE_PLAIN, "%" PRIu64 " s", show_number(row, "expires_s"));
}

int
show_group_list(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"VLAN", TABLE_RIGHT},
		{"TYPE", TABLE_LEFT},
		{"GROUP", TABLE_LEFT},
		{"PORT", TABLE_LEFT},
		{"EXPIRES", TABLE_RIGHT},
	};
	struct table *table;
	const json_t *row;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0)
		return show_empty(show, "nothing heard of groups; snooping: on is needed for that");
	table = table_new(columns, SHOW_COLUMNS(columns));
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach(result, i, row)
		show_group_row(table, row);
	return show_table(show, table);
}

/** Add a cell with the queues of an lcore: "vm1:0 vm2:0". */
static void
show_queues_cell(struct table *table, const json_t *queues)
{
	const json_t *queue;
	char *text = NULL;
	size_t length = 0;
	FILE *file;
	size_t i;

	if (json_array_size(queues) == 0) {
		table_cell(table, TABLE_PLAIN, "-");
		return;
	}
	file = open_memstream(&text, &length);
	if (file == NULL) {
		table_cell(table, TABLE_PLAIN, "?");
		return;
	}
	json_array_foreach(queues, i, queue)
		fprintf(file, "%s%s:%" PRIu64, i > 0 ? " " : "", show_string(queue, "port"),
			show_number(queue, "queue"));
	fclose(file);
	table_cell(table, TABLE_PLAIN, "%s", text);
	free(text);
}

/** Add the cells of an lcore. */
static void
show_lcore_row(struct table *table, const json_t *lcore)
{
	double busy = (double)show_number(lcore, "busy_cycles");
	double idle = (double)show_number(lcore, "idle_cycles");
	uint64_t packets = show_number(lcore, "packets");

	show_count_cell(table, TABLE_PLAIN, lcore, "lcore");
	show_count_cell(table, TABLE_PLAIN, lcore, "numa_node");
	if (busy + idle > 0)
		table_cell(table, TABLE_PLAIN, "%.1f%%", 100 * busy / (busy + idle));
	else
		table_cell(table, TABLE_PLAIN, "-");
	if (packets > 0)
		table_cell(table, TABLE_PLAIN, "%.0f", busy / (double)packets);
	else
		table_cell(table, TABLE_PLAIN, "-");
	show_count_cell(table, TABLE_PLAIN, lcore, "packets");
	show_queues_cell(table, json_object_get(lcore, "queues"));
}

int
show_lcore_list(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"LCORE", TABLE_RIGHT},
		{"NUMA", TABLE_RIGHT},
		{"LOAD", TABLE_RIGHT},
		{"CYCLES/PACKET", TABLE_RIGHT},
		{"PACKETS", TABLE_RIGHT},
		{"QUEUES", TABLE_LEFT},
	};
	struct table *table;
	const json_t *lcore;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0)
		return show_empty(show, "no polling lcores: shunt lcore add N");
	table = table_new(columns, SHOW_COLUMNS(columns));
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach(result, i, lcore)
		show_lcore_row(table, lcore);
	return show_table(show, table);
}

/** Add the cells of a drop reason at a port. */
static void
show_drops_row(struct table *table, const json_t *drop)
{
	table_cell(table, TABLE_PLAIN, "%s", show_string(drop, "port"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(drop, "direction"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(drop, "reason"));
	table_cell(table, TABLE_PLAIN, "%s", show_string(drop, "owner"));
	show_drops_cell(table, drop, "packets");
}

int
show_drops(const struct show *show, const json_t *result)
{
	static const struct table_column columns[] = {
		{"PORT", TABLE_LEFT},
		{"DIRECTION", TABLE_LEFT},
		{"REASON", TABLE_LEFT},
		{"OWNER", TABLE_LEFT},
		{"PACKETS", TABLE_RIGHT},
	};
	struct table *table;
	const json_t *drop;
	size_t i;

	if (!json_is_array(result))
		return -EPROTO;
	if (json_array_size(result) == 0)
		return show_empty(show, "no drops");
	table = table_new(columns, SHOW_COLUMNS(columns));
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach(result, i, drop)
		show_drops_row(table, drop);
	return show_table(show, table);
}
