/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What telemetry answers, apart from how calls get to the control thread and back.
 *
 * Thread safety: said per function.
 */
#ifndef SHUNT_STATS_TELEMETRY_INTERNAL_H
#define SHUNT_STATS_TELEMETRY_INTERNAL_H

#include <jansson.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include "stats/telemetry.h"

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64 /* its name until 23.03 */
#endif

/** A command. */
struct telemetry_command {
	const char *name; /**< such as "/shunt/ports" */
	const char *help;
	/** Control thread. @param text what follows the comma, or NULL. @return an object, or NULL */
	json_t *(*answer)(struct rpc *rpc, struct vswitch *vswitch, const char *text);
};

/** All of them; ended by a NULL name. */
extern const struct telemetry_command telemetry_commands[];

/** Any thread: an object as DPDK wants it. @return 0 or -1 */
int telemetry_convert(const json_t *object, struct rte_tel_data *data);

#endif
