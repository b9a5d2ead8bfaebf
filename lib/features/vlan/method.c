/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `vlan.list`: VLANs with their member ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "features/vlan/rules.h"

enum { VLAN_LIST_MAX = 65536 }; /* members in one answer, which is then some megabytes */

/** A port that is a member of some VLANs only. */
struct vlan_member {
	const char *name;
	struct vlan_rules rules;
};

/** Data of an answer. */
struct vlan_list {
	struct vlan_member *members;
	unsigned n;
	struct methods_filter filter;
	uint32_t entries[VLAN_COUNT];
};

/** fdb_walk() callback: count an entry in its VLAN. @return true */
static bool
vlan_count_entry(const struct fdb_entry *entry, void *arg)
{
	struct vlan_list *list = arg;

	list->entries[entry->vlan]++;
	return true;
}

/** Find the ports that filter VLANs, among those that the request selects. */
static int
vlan_find_members(struct vlan_list *list, const struct vswitch *vswitch, struct err *err)
{
	const struct vswitch_port *port;

	list->members = calloc(vswitch->n_ports + 1, sizeof(*list->members));
	if (list->members == NULL)
		return err_set(err, ENOMEM, "no memory");
	TAILQ_FOREACH(port, &vswitch->ports, next) {
		struct vlan_member *member = &list->members[list->n];
		if (list->filter.port != PORT_NONE && list->filter.port != port->port.id)
			continue;
		vlan_rules_of(&port->port.config, &member->rules);
		member->name = port->port.config.name;
		list->n += member->rules.filters;
	}
	return 0;
}

/** Whether a port carries a VLAN that the request selects. @param member index of the port */
static bool
vlan_is_member(const struct vlan_list *list, unsigned member, uint16_t vlan)
{
	return (list->filter.vlan < 0 || list->filter.vlan == vlan) &&
	       vlan_set_has(&list->members[member].rules.carried, vlan);
}

/** Refuse a list so long that it would block the control thread. */
static int
vlan_list_check(const struct vlan_list *list, struct err *err)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < list->n; i++)
		for (uint16_t vlan = 1; vlan < VLAN_RESERVED; vlan++)
			sum += vlan_is_member(list, i, vlan);
	if (sum > VLAN_LIST_MAX)
		return err_set(err, E2BIG,
			"%u ports of VLANs are too many to list at once; ask for a port or a VLAN",
			sum);
	return 0;
}

/** Build the row of a VLAN. @return NULL when no port carries it */
static json_t *
vlan_row(const struct vlan_list *list, uint16_t vlan)
{
	json_t *ports = json_array();

	for (unsigned i = 0; i < list->n; i++)
		if (vlan_is_member(list, i, vlan))
			json_array_append_new(
				ports, json_pack("{s:s, s:b}", "port", list->members[i].name,
					       "tagged", list->members[i].rules.pvid != vlan));
	if (json_array_size(ports) == 0) {
		json_decref(ports);
		return NULL;
	}
	return json_pack("{s:i, s:o, s:i}", "vlan", (int)vlan, "ports", ports, "fdb_entries",
		(int)list->entries[vlan]);
}

/** Build the rows of all VLANs that ports carry. */
static json_t *
vlan_rows(struct vlan_list *list, struct fdb *fdb)
{
	json_t *rows = json_array();

	fdb_walk(fdb, vlan_count_entry, list);
	for (uint16_t vlan = 1; vlan < VLAN_RESERVED; vlan++) {
		json_t *row = vlan_row(list, vlan);
		if (row != NULL)
			json_array_append_new(rows, row);
	}
	return rows;
}

/** RPC method vlan.list. */
static json_t *
vlan_list_call(void *arg, json_t *params, struct err *err)
{
	const struct methods_context *methods = arg;
	struct vswitch *vswitch = methods->vswitch;
	struct vlan_list list = {.n = 0};
	json_t *rows = NULL;

	if (methods_parse_filter(vswitch, params, 1, &list.filter, err) < 0)
		return NULL;
	if (vlan_find_members(&list, vswitch, err) == 0 && vlan_list_check(&list, err) == 0)
		rows = vlan_rows(&list, vswitch->fdb);
	free(list.members);
	return rows;
}

const struct rpc_method vlan_methods[] = {
	{"vlan.list", vlan_list_call},
	{NULL, NULL},
};
