/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Telemetry commands and their answers, without the calls between threads.
 *
 * Thread safety: see each function.
 */
#ifndef SHUNT_STATS_TELEMETRY_INTERNAL_H
#define SHUNT_STATS_TELEMETRY_INTERNAL_H

#include <jansson.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include "stats/telemetry.h"

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64 /* renamed in DPDK 23.03 */
#endif

/** A telemetry command. */
struct telemetry_command {
	const char *name; /**< such as "/shunt/ports" */
	const char *help;
	/**
	 * Control thread only.
	 *
	 * @param text parameters, after the comma of the command; NULL = none
	 * @return an object owned by the caller; NULL on failure
	 */
	json_t *(*answer)(struct rpc *rpc, struct vswitch *vswitch, const char *text);
};

/** All commands, terminated by a NULL name. */
extern const struct telemetry_command telemetry_commands[];

/** Convert an object to telemetry data. Any thread; shares no state. @return 0 */
int telemetry_convert(const json_t *object, struct rte_tel_data *data);

#endif
