/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC methods of polling lcores: list, add, delete, balance. */
#include <errno.h>

#include "control/methods.h"

enum { CPU_LAST = CPU_SETSIZE - 1 };

/** Build the row of a polling lcore: its queues and its load. */
static json_t *
lcore_row(const struct vswitch *vswitch, const struct vswitch_lcore *lcore)
{
	struct datapath_load load;
	json_t *queues = json_array();

	datapath_lcore_load(vswitch->datapath, lcore->lcore_id, &load);
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		if (vswitch->queue[i].lcore_id == lcore->lcore_id)
			json_array_append_new(queues,
				json_pack("{s:s, s:i}", "port", vswitch->queue[i].port->config.name,
					"queue", (int)vswitch->queue[i].queue));
	return json_pack("{s:i, s:i, s:o, s:I, s:I, s:I}", "lcore", (int)lcore->cpu, "numa_node",
		lcore->node, "queues", queues, "busy_cycles", (json_int_t)load.busy_cycles,
		"idle_cycles", (json_int_t)load.idle_cycles, "packets", (json_int_t)load.packets);
}

/** RPC method lcore.list. */
static json_t *
lcore_list_call(void *arg, json_t *params, struct err *err)
{
	static const char *const none[] = {NULL};
	const struct vswitch *vswitch = arg;

	if (rpc_only(params, none, err) < 0)
		return NULL;
	json_t *list = json_array();
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		json_array_append_new(list, lcore_row(vswitch, &vswitch->lcore[i]));
	return list;
}

/** Read the parameter lcore, the number of a CPU. */
static int
lcore_parse(json_t *params, unsigned *cpu, struct err *err)
{
	static const char *const names[] = {"lcore", NULL};
	json_int_t number = 0;

	*cpu = 0;
	if (rpc_only(params, names, err) < 0)
		return -EINVAL;
	int rc = rpc_number(params, "lcore", 0, CPU_LAST, &number, err);
	if (rc == 0)
		return err_set(err, EINVAL, "lcore: missing");
	*cpu = (unsigned)number;
	return rc < 0 ? rc : 0;
}

/** RPC method lcore.add. */
static json_t *
lcore_add_call(void *arg, json_t *params, struct err *err)
{
	unsigned cpu;

	if (lcore_parse(params, &cpu, err) < 0 || vswitch_lcore_add(arg, cpu, err) < 0)
		return NULL;
	return json_object();
}

/** RPC method lcore.del. */
static json_t *
lcore_del_call(void *arg, json_t *params, struct err *err)
{
	unsigned cpu;

	if (lcore_parse(params, &cpu, err) < 0 || vswitch_lcore_del(arg, cpu, err) < 0)
		return NULL;
	return json_object();
}

/** RPC method lcore.balance. */
static json_t *
lcore_balance_call(void *arg, json_t *params, struct err *err)
{
	static const char *const none[] = {NULL};

	if (rpc_only(params, none, err) < 0)
		return NULL;
	return json_pack("{s:i}", "moved", (int)vswitch_lcore_balance(arg));
}

const struct rpc_method methods_lcore[] = {
	{"lcore.list", lcore_list_call},
	{"lcore.add", lcore_add_call},
	{"lcore.del", lcore_del_call},
	{"lcore.balance", lcore_balance_call},
	{NULL, NULL},
};
