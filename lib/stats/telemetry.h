/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch in DPDK's telemetry: /shunt/ports, /shunt/port,NAME, /shunt/fdb, /shunt/drops and
 * /shunt/lcores, as dpdk-telemetry.py shows them.
 *
 * DPDK calls us on threads of its own. They touch nothing of the switch: a call is handed to the
 * control thread, which answers in JSON, and is waited for, but not for long.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_STATS_TELEMETRY_H
#define SHUNT_STATS_TELEMETRY_H

#include "control/rpc.h"
#include "control/vswitch.h"

enum {
	TELEMETRY_WAIT_S = 2,      /**< for the control thread */
	TELEMETRY_PORTS_MAX = 256, /**< names in an answer, of which DPDK sends 16 KB */
	TELEMETRY_FDB_MAX = 128,
	TELEMETRY_DROPS_MAX = 96,
};

/** Answer from now on; once in a process. @return 0 or negative errno with the reason */
int telemetry_open(struct rpc *rpc, struct vswitch *vswitch, struct err *err);

/** Answer no more; the switch may go. */
void telemetry_close(void);

#endif
