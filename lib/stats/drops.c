/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `drops`. */
#include "stats/drops.h"

#include <string.h>

/** Append a row for each reason for which a port dropped frames in one direction. */
static void
drops_rows(json_t *rows, const struct port *port, const char *direction,
	const uint64_t drops[DROP_COUNT])
{
	for (int reason = 0; reason < DROP_COUNT; reason++)
		if (drops[reason] > 0)
			json_array_append_new(rows,
				json_pack("{s:s, s:s, s:s, s:s, s:I}", "port", port->config.name,
					"direction", direction, "reason", drop_word(reason),
					"owner", drop_owner_word(reason, port_is_vm(port)),
					"packets", (json_int_t)drops[reason]));
}

/** RPC method drops. */
static json_t *
drops_call(void *arg, json_t *params, struct err *err)
{
	static const char *const names[] = {"port", NULL};
	struct vswitch *vswitch = arg;
	struct vswitch_port *port;
	struct counters counters;
	const char *only = NULL;

	if (rpc_only(params, names, err) < 0)
		return NULL;
	if (json_object_get(params, "port") != NULL) {
		only = rpc_text(params, "port", err);
		if (only == NULL || vswitch_port_find(vswitch, only, err) == NULL)
			return NULL;
	}
	json_t *rows = json_array();
	TAILQ_FOREACH(port, &vswitch->ports, next) {
		if (only != NULL && strcmp(only, port->port.config.name) != 0)
			continue;
		vswitch_port_counters(vswitch, port, &counters);
		drops_rows(rows, &port->port, "rx", counters.rx_drops);
		drops_rows(rows, &port->port, "tx", counters.tx_drops);
	}
	return rows;
}

static const struct rpc_method drops_methods[] = {
	{"drops", drops_call},
	{NULL, NULL},
};

void
drops_register(struct rpc *rpc, struct vswitch *vswitch)
{
	rpc_register(rpc, drops_methods, vswitch);
}
