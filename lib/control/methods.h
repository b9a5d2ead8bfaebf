/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RPC methods of a running switch: status, ports, FDB, multicast groups, lcores, trace, VLANs,
 * capture, monitor. Names, parameters and results are those of the command line.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_METHODS_H
#define SHUNT_CONTROL_METHODS_H

#include <jansson.h>

#include "control/rpc.h"
#include "control/vswitch.h"
#include "event/event.h"

/**
 * Register all methods of this module but `capture` and `monitor`.
 *
 * @param vswitch must outlive the server
 */
void methods_register(struct rpc *rpc, struct vswitch *vswitch);

extern const struct rpc_method methods_status[];
extern const struct rpc_method methods_port[];
extern const struct rpc_method methods_fdb[];
extern const struct rpc_method methods_group[];
extern const struct rpc_method methods_lcore[];
extern const struct rpc_method methods_trace[];
extern const struct rpc_method methods_vlan[];

/** Argument of the methods in methods_capture: a capture is bound to its RPC connection. */
struct methods_capture {
	struct rpc *rpc;
	struct vswitch *vswitch;
};

/** Argument of the methods in methods_monitor: so is a subscription. */
struct methods_monitor {
	struct rpc *rpc;
	struct event_hub *hub; /**< must outlive the server */
};

extern const struct rpc_method methods_monitor[]; /**< arg is a struct methods_monitor */

extern const struct rpc_method methods_capture[]; /**< arg is a struct methods_capture */

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

/**
 * Get the name of the port with an id.
 *
 * @param id any number
 * @return the name, valid until the port is deleted; "" when there is no such port
 */
const char *methods_port_name(const struct vswitch *vswitch, uint16_t id);

#endif
