/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC methods of ports: add, set, delete, list, show, and the QEMU arguments of a port. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qemu_version.h"
#include "control/methods.h"
#include "features/state.h"

/** Convert the value of a key to text. @return NULL: neither text, an integer nor a boolean */
static const char *
port_value_text(json_t *value, char text[KEY_VALUE_MAX])
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(text, KEY_VALUE_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return text;
	case JSON_TRUE:
		return "on";
	case JSON_FALSE:
		return "off";
	default:
		return NULL;
	}
}

int
methods_port_keys(struct port_config *config, json_t *keys, struct err *err)
{
	char text[KEY_VALUE_MAX];
	const char *key;
	json_t *value;

	json_object_foreach(keys, key, value) {
		if (strcmp(key, "name") == 0 || strcmp(key, "type") == 0)
			continue;
		const char *word = port_value_text(value, text);
		if (word == NULL)
			return err_set(
				err, EINVAL, "%.60s: must be text, a number, on or off", key);
		int rc = port_config_set(config, key, word, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/** port_config_visit() callback: add a key to an object. @param object json_t */
static void
port_add_member(const struct key *key, const char *value, void *object)
{
	json_t *member = key->kind == KEY_NUMBER ? json_integer(strtoll(value, NULL, 10))
						 : json_string(value);

	json_object_set_new(object, key->name, member);
}

json_t *
methods_port_config(const struct port_config *config, bool all)
{
	json_t *object = json_pack("{s:s}", "type", config->driver->type->name);

	port_config_visit(config, all, port_add_member, object);
	return object;
}

const char *
methods_port_name(const struct vswitch *vswitch, uint16_t id)
{
	return feature_port_name(vswitch->by_id, id);
}

/** Find the port that a request names. @return NULL with the reason */
static struct vswitch_port *
port_find_named(struct vswitch *vswitch, json_t *params, struct err *err)
{
	const char *name = rpc_text(params, "name", err);

	return name == NULL ? NULL : vswitch_port_find(vswitch, name, err);
}

/** RPC method port.add. */
static json_t *
port_add_call(void *arg, json_t *params, struct err *err)
{
	struct vswitch *vswitch = arg;
	const char *name = rpc_text(params, "name", err);
	const char *type = name == NULL ? NULL : rpc_text(params, "type", err);
	struct port_config config;

	if (type == NULL || port_config_init(&config, vswitch->drivers, name, type, err) < 0)
		return NULL;
	if (methods_port_keys(&config, params, err) < 0 ||
		vswitch_port_add(vswitch, &config, err) < 0) {
		err_prefix(err, "port %s", name);
		return NULL;
	}
	return json_object();
}

/** RPC method port.set: change the keys given. */
static json_t *
port_set_call(void *arg, json_t *params, struct err *err)
{
	struct vswitch *vswitch = arg;
	struct vswitch_port *port = port_find_named(vswitch, params, err);

	if (port == NULL)
		return NULL;
	struct port_config config = port->port.config;
	if (json_object_get(params, "type") != NULL) {
		err_set(err, EINVAL, "port %s: type: cannot change; delete and add the port",
			config.name);
		return NULL;
	}
	if (methods_port_keys(&config, params, err) < 0 ||
		vswitch_port_change(vswitch, &config, err) < 0) {
		err_prefix(err, "port %s", config.name);
		return NULL;
	}
	return json_object();
}

/** RPC method port.del. */
static json_t *
port_del_call(void *arg, json_t *params, struct err *err)
{
	static const char *const names[] = {"name", NULL};
	const char *name = rpc_text(params, "name", err);

	if (name == NULL || rpc_only(params, names, err) < 0 ||
		vswitch_check_relations(arg, name, NULL, err) < 0 ||
		vswitch_port_del(arg, name, err) < 0)
		return NULL;
	return json_object();
}

/** Build the row of a port in port.list, with which port.show begins. */
static json_t *
port_row(const struct vswitch *vswitch, const struct vswitch_port *port)
{
	const struct port_driver *driver = port->port.config.driver;
	struct counters c;

	vswitch_port_counters(vswitch, port, &c);
	return json_pack(
		"{s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i}",
		"name", port->port.config.name, "type", driver->type->name, "link",
		vswitch->up[port->port.id] ? "up" : "down", "numa_node",
		port->port.numa_node < 0 ? 0 : port->port.numa_node, "rx_queues",
		(int)port->port.rx_queues, "tx_queues", (int)port->port.tx_queues, "rx_packets",
		(json_int_t)c.rx_packets, "rx_bytes", (json_int_t)c.rx_bytes, "rx_drops",
		(json_int_t)counters_drops(c.rx_drops), "tx_packets", (json_int_t)c.tx_packets,
		"tx_bytes", (json_int_t)c.tx_bytes, "tx_drops",
		(json_int_t)counters_drops(c.tx_drops), "rx_forwarded", (json_int_t)c.rx_forwarded,
		"rx_copies", (json_int_t)c.rx_copies, "rx_missed",
		(json_int_t)(driver->missed != NULL ? driver->missed(&port->port) : 0), "tx_held",
		(int)features_backlog(&port->port));
}

/** RPC method port.list. */
static json_t *
port_list_call(void *arg, json_t *params, struct err *err)
{
	static const char *const none[] = {NULL};
	struct vswitch *vswitch = arg;
	struct vswitch_port *port;

	if (rpc_only(params, none, err) < 0)
		return NULL;
	json_t *list = json_array();
	TAILQ_FOREACH(port, &vswitch->ports, next)
		json_array_append_new(list, port_row(vswitch, port));
	return list;
}

/** Build the list of the receive queues of a port, each with its lcore. */
static json_t *
port_polled_by(const struct vswitch *vswitch, const struct vswitch_port *port)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < vswitch->n_queues; i++) {
		const struct snapshot_queue *queue = &vswitch->queue[i];
		const struct vswitch_lcore *lcore = vswitch_lcore_of(vswitch, queue->lcore_id);
		if (queue->port == &port->port)
			json_array_append_new(list,
				json_pack("{s:i, s:o}", "queue", (int)queue->queue, "lcore",
					lcore != NULL ? json_integer(lcore->cpu) : json_null()));
	}
	return list;
}

/** RPC method port.show: keys, counters and state of a port. */
static json_t *
port_show_call(void *arg, json_t *params, struct err *err)
{
	struct vswitch *vswitch = arg;
	const struct vswitch_port *port = port_find_named(vswitch, params, err);
	struct port_info info = {.n = 0};
	struct fdb_port_stats fdb;

	if (port == NULL)
		return NULL;
	const struct port_driver *driver = port->port.config.driver;
	json_t *object = port_row(vswitch, port);
	json_t *keys = methods_port_config(&port->port.config, true);
	json_object_update(object, keys);
	json_decref(keys);
	json_object_set_new(object, "max_frame", json_integer(port->port.max_len));
	fdb_get_port_stats(vswitch->fdb, port->port.id, &fdb);
	json_object_set_new(object, "fdb_entries", json_integer(fdb.entries));
	json_object_set_new(object, "fdb_refused", json_integer((json_int_t)fdb.refused));
	json_object_set_new(object, "fdb_stuck", json_integer((json_int_t)fdb.stuck));
	json_object_set_new(object, "fdb_damped", json_integer((json_int_t)fdb.damped));
	driver->info(&port->port, &info);
	for (unsigned i = 0; i < info.n; i++)
		json_object_set_new(object, info.entry[i].name, json_string(info.entry[i].value));
	json_object_set_new(object, "polled_by", port_polled_by(vswitch, port));
	return object;
}

/** RPC method port.qemu: how a VM connects to the port. */
static json_t *
port_qemu_call(void *arg, json_t *params, struct err *err)
{
	const struct vswitch_port *port = port_find_named(arg, params, err);
	const json_t *version = json_object_get(params, "qemu");
	struct port_frontend frontend;

	if (port == NULL)
		return NULL;
	memset(&frontend, 0, sizeof(frontend));
	if (version != NULL && !json_is_string(version)) {
		err_set(err, EINVAL, "qemu: must be text, such as \"10.0\"");
		return NULL;
	}
	if (version != NULL &&
		qemu_version_parse(json_string_value(version), &frontend.qemu, err) < 0)
		return NULL;
	if (port->port.config.driver->frontend == NULL) {
		err_set(err, ENOTSUP, "port %s: no VM connects to a port of type %s",
			port->port.config.name, port->port.config.driver->type->name);
		return NULL;
	}
	port->port.config.driver->frontend(&port->port, &frontend);
	json_t *args = json_array(), *hints = json_array();
	for (unsigned i = 0; i < frontend.n_args; i++)
		json_array_append_new(args, json_string(frontend.args[i]));
	for (unsigned i = 0; i < frontend.n_hints; i++)
		json_array_append_new(hints, json_string(frontend.hints[i]));
	return json_pack("{s:o, s:o, s:s, s:s}", "qemu", args, "hints", hints, "libvirt",
		frontend.xml, "libvirt_domain", frontend.domain);
}

const struct rpc_method methods_port[] = {
	{"port.add", port_add_call},
	{"port.set", port_set_call},
	{"port.del", port_del_call},
	{"port.list", port_list_call},
	{"port.show", port_show_call},
	{"port.qemu", port_qemu_call},
	{NULL, NULL},
};
