/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RPC methods of a running switch: status, ports, FDB, lcores, trace, monitor, and those of
 * features. Names, parameters and results are those of the command line.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_METHODS_H
#define SHUNT_CONTROL_METHODS_H

#include <jansson.h>

#include "control/rpc.h"
#include "control/vswitch.h"
#include "event/event.h"

/** Argument of the methods of features, some of which are bound to the connection of the request. */
struct methods_context {
	struct rpc *rpc;
	struct vswitch *vswitch;
};

/**
 * Register all methods of this module but `monitor`, and those of features: a feature with methods
 * has a method.c with the table NAME_methods, whose argument is the context.
 *
 * @param context must outlive the server, as must the switch
 */
void methods_register(struct methods_context *context);

extern const struct rpc_method methods_status[];
extern const struct rpc_method methods_port[];
extern const struct rpc_method methods_fdb[];
extern const struct rpc_method methods_lcore[];
extern const struct rpc_method methods_trace[];

/** Argument of the methods in methods_monitor: a subscription is bound to its connection. */
struct methods_monitor {
	struct rpc *rpc;
	struct event_hub *hub; /**< must outlive the server */
};

extern const struct rpc_method methods_monitor[]; /**< arg is a struct methods_monitor */

/**
 * Set keys of a port from the members of an object; "name" and "type" are ignored.
 *
 * @return 0; negative errno with the reason, with keys before the refused one set
 */
int methods_port_keys(struct port_config *config, json_t *keys, struct err *err);

/**
 * The type and the keys of a port as an object; numeric keys are JSON integers.
 *
 * @param all false = only keys that differ from their default
 * @return an object that the caller owns
 */
json_t *methods_port_config(const struct port_config *config, bool all);

enum { METHODS_VLAN_LAST = 4094 };

/** Rows that a request selects. */
struct methods_filter {
	uint16_t port; /**< id; PORT_NONE = any */
	int vlan;      /**< -1 = any */
};

/**
 * Read the parameters `port` and `vlan` of a method that has no others.
 *
 * @param first lowest VLAN, 0 or 1
 * @param filter receives the selection
 * @return 0; negative errno with the reason
 */
int methods_parse_filter(struct vswitch *vswitch, json_t *params, json_int_t first,
	struct methods_filter *filter, struct err *err);

/**
 * Check whether a request selects a row.
 *
 * @param port id of the row's port
 * @param vlan of the row
 * @return true if it does
 */
static inline bool
methods_filter_has(const struct methods_filter *filter, uint16_t port, uint16_t vlan)
{
	return (filter->port == PORT_NONE || port == filter->port) &&
	       (filter->vlan < 0 || vlan == filter->vlan);
}

/**
 * Get the name of the port with an id.
 *
 * @param id any number
 * @return the name, valid until the port is deleted; "" when there is no such port
 */
const char *methods_port_name(const struct vswitch *vswitch, uint16_t id);

#endif
