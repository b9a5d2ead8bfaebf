/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry commands of DPDK (rte_telemetry): /shunt/ports, /shunt/port,NAME, /shunt/fdb,
 * /shunt/drops and /shunt/lcores.
 *
 * DPDK invokes commands on threads of its own, which must not access the switch: they pass the
 * command to the control thread, and wait up to TELEMETRY_WAIT_S for its answer.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_STATS_TELEMETRY_H
#define SHUNT_STATS_TELEMETRY_H

#include "control/rpc.h"
#include "control/vswitch.h"

enum {
	TELEMETRY_WAIT_S = 2,      /**< timeout of the wait for the control thread */
	TELEMETRY_PORTS_MAX = 256, /**< names in an answer; DPDK sends up to 16 KB */
	TELEMETRY_FDB_MAX = 128,
	TELEMETRY_DROPS_MAX = 96,
};

/**
 * Register the commands and serve them. Once per process.
 *
 * @param rpc, vswitch must stay valid until telemetry_close()
 * @return 0; negative errno with the reason
 */
int telemetry_open(struct rpc *rpc, struct vswitch *vswitch, struct err *err);

/** Stop serving; commands fail from now on. The switch may be destroyed afterwards. */
void telemetry_close(void);

#endif
