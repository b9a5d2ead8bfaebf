/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be asked of a running switch over its control socket: status, ports, filtering table,
 * lcores. Words, parameters and results are those of the command line.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_METHODS_H
#define SHUNT_CONTROL_METHODS_H

#include <jansson.h>

#include "control/rpc.h"
#include "control/vswitch.h"

/** Add all methods of this module. */
void methods_register(struct rpc *rpc, struct vswitch *vswitch);

extern const struct rpc_method methods_status[];
extern const struct rpc_method methods_port[];
extern const struct rpc_method methods_fdb[];
extern const struct rpc_method methods_group[];
extern const struct rpc_method methods_lcore[];
extern const struct rpc_method methods_trace[];
extern const struct rpc_method methods_vlan[];

/** What `capture` needs beside the switch: connections. */
struct methods_capture {
	struct rpc *rpc;
	struct vswitch *vswitch;
};

extern const struct rpc_method methods_capture[]; /**< their arg is a struct methods_capture */

/**
 * Set keys of a port from an object; "name" and "type" are passed over.
 *
 * @return 0; -EINVAL with the reason
 */
int methods_port_keys(struct port_config *config, json_t *keys, struct err *err);

/** The keys of a port as an object; numbers as numbers. @param all false = changed ones only */
json_t *methods_port_config(const struct port_config *config, bool all);

/** Name of the port with an id; "" when there is none. */
const char *methods_port_name(const struct vswitch *vswitch, uint16_t id);

#endif
