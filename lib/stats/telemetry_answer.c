/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of telemetry commands, built from the results of RPC methods. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "control/methods.h"
#include "stats/telemetry_internal.h"

/** Call an RPC method. @return its result, owned by the caller; NULL on failure */
static json_t *
answer_call_method(struct rpc *rpc, const char *method, const char *name)
{
	json_t *params = name != NULL ? json_pack("{s:s}", "name", name) : json_object();
	json_t *request = json_pack("{s:i, s:s, s:o}", "id", 1, "method", method, "params", params);
	json_t *answer = request != NULL ? rpc_answer(rpc, request) : NULL;
	json_t *result = json_incref(json_object_get(answer, "result"));

	json_decref(answer);
	json_decref(request);
	return result;
}

/** /shunt/ports: names of ports. @param text number of the first; NULL = 0 */
static json_t *
answer_ports(struct rpc *rpc, struct vswitch *vswitch, const char *text)
{
	unsigned long first = text != NULL ? strtoul(text, NULL, 10) : 0;
	const struct vswitch_port *port;
	json_t *names = json_array();
	unsigned long number = 0;

	(void)rpc;
	TAILQ_FOREACH(port, &vswitch->ports, next)
		if (number++ >= first && json_array_size(names) < TELEMETRY_PORTS_MAX)
			json_array_append_new(names, json_string(port->port.config.name));
	return json_pack("{s:i, s:o}", "total", (int)vswitch->n_ports, "ports", names);
}

/** /shunt/port: what `port.show` answers, but without queues. @param text name of the port */
static json_t *
answer_port(struct rpc *rpc, struct vswitch *vswitch, const char *text)
{
	(void)vswitch;
	json_t *port = text != NULL ? answer_call_method(rpc, "port.show", text) : NULL;

	json_object_del(port, "polled_by");
	return port;
}

/** Argument of answer_fdb_row(). */
struct answer_rows {
	const struct vswitch *vswitch;
	json_t *rows;
};

/** fdb_walk() callback: append an entry as text. @return false at the limit */
static bool
answer_fdb_row(const struct fdb_entry *entry, void *arg)
{
	struct answer_rows *to = arg;
	char mac[MAC_TEXT_MAX];
	char row[RTE_TEL_MAX_STRING_LEN];

	snprintf(row, sizeof(row), "%s vlan %u port %s %s age %u", mac_format(entry->mac, mac),
		entry->vlan, methods_port_name(to->vswitch, entry->port),
		entry->is_static ? "static" : "dynamic", entry->age);
	json_array_append_new(to->rows, json_string(row));
	return json_array_size(to->rows) < TELEMETRY_FDB_MAX;
}

/** /shunt/fdb: totals and first entries. */
static json_t *
answer_fdb(struct rpc *rpc, struct vswitch *vswitch, const char *text)
{
	struct answer_rows to = {.vswitch = vswitch, .rows = json_array()};
	json_t *status = answer_call_method(rpc, "status", NULL);
	json_t *fdb = json_incref(json_object_get(status, "fdb"));

	(void)text;
	json_decref(status);
	fdb_walk(vswitch->fdb, answer_fdb_row, &to);
	json_object_set_new(fdb, "addresses", to.rows);
	return fdb;
}

/** Convert a list to an object whose members are named by index; DPDK has no list of objects. */
static json_t *
answer_number_rows(json_t *list, size_t most)
{
	json_t *object = json_pack("{s:i}", "total", (int)json_array_size(list));
	char name[24];
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row) {
		if (i == most)
			break;
		snprintf(name, sizeof(name), "%zu", i);
		json_object_set(object, name, row);
	}
	return object;
}

/** /shunt/drops: what `drops` answers. */
static json_t *
answer_drops(struct rpc *rpc, struct vswitch *vswitch, const char *text)
{
	json_t *list = answer_call_method(rpc, "drops", NULL);
	json_t *object = answer_number_rows(list, TELEMETRY_DROPS_MAX);

	(void)vswitch;
	(void)text;
	json_decref(list);
	return object;
}

/** /shunt/lcores: what `lcore.list` answers, with the number of queues of each. */
static json_t *
answer_lcores(struct rpc *rpc, struct vswitch *vswitch, const char *text)
{
	json_t *list = answer_call_method(rpc, "lcore.list", NULL);
	json_t *row;
	size_t i;

	(void)vswitch;
	(void)text;
	json_array_foreach(list, i, row)
		json_object_set_new(row, "queues",
			json_integer((int)json_array_size(json_object_get(row, "queues"))));
	json_t *object = answer_number_rows(list, LCORE_MAX);
	json_decref(list);
	return object;
}

const struct telemetry_command telemetry_commands[] = {
	{"/shunt/ports", "Names of the switch's ports, up to 256. Parameters: number of the first",
		answer_ports},
	{"/shunt/port",
		"Keys and counters of a port, as `shunt port show`. Parameters: string name",
		answer_port},
	{"/shunt/fdb", "Totals and first addresses of the filtering table. Takes no parameters",
		answer_fdb},
	{"/shunt/drops", "Frames dropped, by port, direction, reason. Takes no parameters",
		answer_drops},
	{"/shunt/lcores", "Counters of polling lcores. Takes no parameters", answer_lcores},
	{NULL, NULL, NULL},
};

/** Convert a key to a name that telemetry allows: letters, digits, _ and / only. */
static const char *
telemetry_convert_name(const char *name, char text[RTE_TEL_MAX_STRING_LEN])
{
	snprintf(text, RTE_TEL_MAX_STRING_LEN, "%s", name);
	for (char *dash = text; (dash = strchr(dash, '-')) != NULL; dash++)
		*dash = '_';
	return text;
}

/** Add an object, or an array of strings, as a container of its own. */
static void
telemetry_convert_container(struct rte_tel_data *data, const char *name, const json_t *value)
{
	struct rte_tel_data *inner = rte_tel_data_alloc();
	const json_t *text;
	size_t i;

	if (inner == NULL)
		return;
	if (json_is_object(value)) {
		telemetry_convert(value, inner);
	} else {
		rte_tel_data_start_array(inner, RTE_TEL_STRING_VAL);
		json_array_foreach(value, i, text)
			rte_tel_data_add_array_string(inner, json_string_value(text));
	}
	if (rte_tel_data_add_dict_container(data, name, inner, 0) != 0)
		rte_tel_data_free(inner);
}

int
telemetry_convert(const json_t *object, struct rte_tel_data *data)
{
	char text[RTE_TEL_MAX_STRING_LEN];
	const char *key;
	json_t *value;

	rte_tel_data_start_dict(data);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		const char *name = telemetry_convert_name(key, text);
		json_int_t number = json_integer_value(value);

		if (json_is_string(value))
			rte_tel_data_add_dict_string(data, name, json_string_value(value));
		else if (json_is_integer(value) && number < 0)
			rte_tel_data_add_dict_int(data, name, (int)number);
		else if (json_is_integer(value))
			rte_tel_data_add_dict_uint(data, name, (uint64_t)number);
		else if (json_is_object(value) || json_is_array(value))
			telemetry_convert_container(data, name, value);
	}
	return 0;
}
