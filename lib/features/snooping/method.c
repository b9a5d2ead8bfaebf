/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `group.list`: members of multicast groups, routers, queriers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "features/snooping/state.h"

/** Rows that a request selects, and those found so far. */
struct snooping_list {
	struct methods_filter filter;
	struct groups_row *rows;
	size_t n;
	size_t space;
	bool failed; /**< no memory */
};

/** groups_walk() callback: append a row if the request selects it. */
static void
snooping_list_add(const struct groups_row *row, void *arg)
{
	struct snooping_list *list = arg;

	if (!methods_filter_has(&list->filter, row->port, row->vlan))
		return;
	if (list->n == list->space) {
		size_t space = list->space > 0 ? 2 * list->space : 64;
		struct groups_row *rows = reallocarray(list->rows, space, sizeof(*rows));
		if (rows == NULL) {
			list->failed = true;
			return;
		}
		list->rows = rows;
		list->space = space;
	}
	list->rows[list->n++] = *row;
}

/** Order for qsort(): by VLAN, then kind (queriers and routers first), group and port. */
static int
snooping_list_compare(const void *one, const void *other)
{
	const struct groups_row *a = one, *b = other;
	int by_group = memcmp(&a->ip, &b->ip, sizeof(a->ip));

	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return by_group != 0 ? by_group : (a->port > b->port) - (a->port < b->port);
}

/** Convert a row to JSON. */
static json_t *
snooping_list_row(const struct vswitch *vswitch, const struct groups_row *row)
{
	static const char *const types[] = {
		[GROUPS_QUERIER] = "querier",
		[GROUPS_ROUTER] = "router",
		[GROUPS_OVERFLOW] = "overflow",
		[GROUPS_MEMBER] = "member",
	};
	char ip[SNOOP_IP_TEXT_MAX];
	json_t *object = json_pack("{s:i, s:s, s:s, s:s}", "vlan", (int)row->vlan, "group",
		row->kind == GROUPS_MEMBER ? snoop_ip_format(&row->ip, ip) : "", "port",
		methods_port_name(vswitch, row->port), "type", types[row->kind]);

	if (row->kind == GROUPS_QUERIER) {
		json_object_set_new(object, "address", json_string(snoop_ip_format(&row->ip, ip)));
		json_object_set_new(
			object, "protocol", json_string(snoop_ip_is_v4(&row->ip) ? "igmp" : "mld"));
		json_object_set_new(object, "version", json_integer(row->version));
	}
	if (row->left_ms > 0)
		json_object_set_new(
			object, "expires_s", json_integer((json_int_t)(row->left_ms + 999) / 1000));
	return object;
}

/** RPC method group.list. */
static json_t *
snooping_list_call(void *arg, json_t *params, struct err *err)
{
	const struct methods_context *methods = arg;
	struct vswitch *vswitch = methods->vswitch;
	struct snooping_list list = {.n = 0};
	json_t *result = NULL;

	if (methods_parse_filter(vswitch, params, 0, &list.filter, err) < 0)
		return NULL;
	const struct snooping *snooping = vswitch_feature_state(vswitch, &snooping_feature);
	if (snooping != NULL)
		groups_walk(snooping->groups, snooping_now_ms(), snooping_list_add, &list);
	if (list.failed) {
		err_set(err, ENOMEM, "no memory");
	} else {
		if (list.n > 0)
			qsort(list.rows, list.n, sizeof(*list.rows), snooping_list_compare);
		result = json_array();
		for (size_t i = 0; i < list.n; i++)
			json_array_append_new(result, snooping_list_row(vswitch, &list.rows[i]));
	}
	free(list.rows);
	return result;
}

const struct rpc_method snooping_methods[] = {
	{"group.list", snooping_list_call},
	{NULL, NULL},
};
