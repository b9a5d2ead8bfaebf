/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC methods of the FDB: list, add, delete and flush entries. */
#include <errno.h>

#include "base/mac.h"
#include "control/methods.h"

_Static_assert((int)FDB_MISS == (int)PORT_NONE, "no port is the same to the FDB");

/** Rows of an answer. */
struct fdb_list {
	const struct vswitch *vswitch;
	struct methods_filter filter;
	json_t *rows;
};

/** fdb_walk() callback: append a row for an entry that the request selects. @return true */
static bool
fdb_list_entry(const struct fdb_entry *entry, void *arg)
{
	struct fdb_list *list = arg;
	char mac[MAC_TEXT_MAX];

	if (!methods_filter_has(&list->filter, entry->port, entry->vlan))
		return true;
	json_array_append_new(list->rows,
		json_pack("{s:s, s:i, s:s, s:s, s:i}", "mac", mac_format(entry->mac, mac), "vlan",
			(int)entry->vlan, "port", methods_port_name(list->vswitch, entry->port),
			"type", entry->is_static ? "static" : "dynamic", "age_s", (int)entry->age));
	return true;
}

/** RPC method fdb.list. */
static json_t *
fdb_list_call(void *arg, json_t *params, struct err *err)
{
	struct vswitch *vswitch = arg;
	struct fdb_list list = {.vswitch = vswitch};

	if (methods_parse_filter(vswitch, params, 0, &list.filter, err) < 0)
		return NULL;
	list.rows = json_array();
	fdb_walk(vswitch->fdb, fdb_list_entry, &list);
	return list.rows;
}

/** RPC method fdb.flush. */
static json_t *
fdb_flush_call(void *arg, json_t *params, struct err *err)
{
	struct vswitch *vswitch = arg;
	struct methods_filter filter;

	if (methods_parse_filter(vswitch, params, 0, &filter, err) < 0)
		return NULL;
	return json_pack(
		"{s:i}", "flushed", (int)fdb_flush(vswitch->fdb, filter.port, filter.vlan));
}

/** Read address and VLAN of an entry to add or delete. The VLAN is 0 by default. */
static int
fdb_parse_address(json_t *params, uint64_t *mac, json_int_t *vlan, struct err *err)
{
	const char *text = rpc_text(params, "mac", err);

	if (text == NULL)
		return -EINVAL;
	if (mac_parse(text, mac) < 0)
		return err_set(
			err, EINVAL, "mac: '%.40s' is not an address like 02:00:00:00:00:01", text);
	if (mac_is_group(*mac))
		return err_set(err, EINVAL, "mac: %s is a group address; it has no port", text);
	*vlan = 0;
	return rpc_number(params, "vlan", 0, METHODS_VLAN_LAST, vlan, err) < 0 ? -EINVAL : 0;
}

/** RPC method fdb.add: add a static entry. */
static json_t *
fdb_add_call(void *arg, json_t *params, struct err *err)
{
	static const char *const names[] = {"mac", "port", "vlan", NULL};
	struct vswitch *vswitch = arg;
	json_int_t vlan;
	uint64_t mac;

	if (rpc_only(params, names, err) < 0 || fdb_parse_address(params, &mac, &vlan, err) < 0)
		return NULL;
	const char *name = rpc_text(params, "port", err);
	const struct vswitch_port *port =
		name == NULL ? NULL : vswitch_port_find(vswitch, name, err);
	if (port == NULL)
		return NULL;
	int rc = fdb_add_static(vswitch->fdb, mac, (uint16_t)vlan, port->port.id);
	if (rc < 0) {
		err_set(err, -rc, "%s: %s", json_string_value(json_object_get(params, "mac")),
			rc == -EEXIST ? "is static already" : "the table is full");
		return NULL;
	}
	return json_object();
}

/** RPC method fdb.del: delete an entry, static or dynamic. */
static json_t *
fdb_del_call(void *arg, json_t *params, struct err *err)
{
	static const char *const names[] = {"mac", "vlan", NULL};
	struct vswitch *vswitch = arg;
	json_int_t vlan;
	uint64_t mac;

	if (rpc_only(params, names, err) < 0 || fdb_parse_address(params, &mac, &vlan, err) < 0)
		return NULL;
	if (fdb_del(vswitch->fdb, mac, (uint16_t)vlan) < 0) {
		err_set(err, ENOENT, "%s: not in the table of VLAN %d",
			json_string_value(json_object_get(params, "mac")), (int)vlan);
		return NULL;
	}
	return json_object();
}

const struct rpc_method methods_fdb[] = {
	{"fdb.list", fdb_list_call},
	{"fdb.add", fdb_add_call},
	{"fdb.del", fdb_del_call},
	{"fdb.flush", fdb_flush_call},
	{NULL, NULL},
};
