/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RPC method `drops`: dropped frames by port, direction and reason, with the side that can
 * remedy each reason.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_STATS_DROPS_H
#define SHUNT_STATS_DROPS_H

#include "control/rpc.h"
#include "control/vswitch.h"

/** Register the method. @param vswitch must outlive the server */
void drops_register(struct rpc *rpc, struct vswitch *vswitch);

#endif
