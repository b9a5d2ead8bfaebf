/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where frames were lost, why, and who has to act, by port and direction: the RPC method `drops`.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_STATS_DROPS_H
#define SHUNT_STATS_DROPS_H

#include "control/rpc.h"
#include "control/vswitch.h"

void drops_register(struct rpc *rpc, struct vswitch *vswitch);

#endif
