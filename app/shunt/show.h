/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Results as text, one function for each form of result.
 *
 * Missing fields are shown as "-"; a result of an unexpected type is -EPROTO.
 *
 * Thread safety: no shared state.
 */
#ifndef SHUNT_CLI_SHOW_H
#define SHUNT_CLI_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "table.h"
#include "text.h"

/** Output stream and format. */
struct show {
	FILE *file;
	bool color;
};

int show_status(const struct show *show, const json_t *result);
int show_port_list(const struct show *show, const json_t *result);
int show_port(const struct show *show, const json_t *result);
int show_qemu(const struct show *show, const json_t *result);
int show_fdb_list(const struct show *show, const json_t *result);
int show_flushed(const struct show *show, const json_t *result);
int show_vlan_list(const struct show *show, const json_t *result);
int show_group_list(const struct show *show, const json_t *result);
int show_lcore_list(const struct show *show, const json_t *result);
int show_moved(const struct show *show, const json_t *result);
int show_drops(const struct show *show, const json_t *result);
int show_trace(const struct show *show, const json_t *result);
int show_config(const struct show *show, const json_t *result);
int show_saved(const struct show *show, const json_t *result);
int show_applied(const struct show *show, const json_t *result);

/* Internal to show*.c ----------------------------------------------------------------------- */

/** @return a string field, "-" if there is none */
const char *show_string(const json_t *object, const char *key);

/** @return a number field, 0 if there is none or it is negative */
uint64_t show_number(const json_t *object, const char *key);

/** Add a cell with a grouped number; "-" if there is none or it is negative. */
void show_count_cell(
	struct table *table, enum table_color color, const json_t *object, const char *key);

/** Add a cell with a counter of drops, yellow unless 0. */
void show_drops_cell(struct table *table, const json_t *object, const char *key);

/** Print and release a table. @return 0; -ENOMEM, also for NULL */
int show_table(const struct show *show, struct table *table);

/** Print a string from the switch; control characters except newlines are replaced. */
void show_text(const struct show *show, const char *text);

#endif
