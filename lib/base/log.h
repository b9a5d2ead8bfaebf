/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Logging of shuntd: DPDK's log with one type per module ("shunt.vhost", ...), whose level can
 * change at run time. Never called per frame.
 *
 * A file that logs has `LOG_MODULE(vhost);` once. Each call logs one line, given without newline.
 *
 * Thread safety: any thread.
 */
#ifndef SHUNT_BASE_LOG_H
#define SHUNT_BASE_LOG_H

#include <rte_common.h>
#include <rte_log.h>

/** Register a log type, once per file that logs. @param name of the module, without "shunt." */
#define LOG_MODULE(name)                                                                           \
	static int log_module_type;                                                                \
	RTE_INIT(log_register_##name)                                                              \
	{                                                                                          \
		log_module_type =                                                                  \
			rte_log_register_type_and_pick_level("shunt." #name, RTE_LOG_INFO);        \
	}                                                                                          \
	_Static_assert(1, "")

/**
 * Log one line. @param level of DPDK, without RTE_LOG_ @param format of printf(), without newline
 */
#define log_line(level, format, ...)                                                               \
	rte_log(RTE_LOG_##level, log_module_type, "shuntd: " format "\n", ##__VA_ARGS__)
/** A failure, which the administrator must act on. */
#define log_error(format, ...) log_line(ERR, "error: " format, ##__VA_ARGS__)
/** A condition that the switch works around. */
#define log_warning(format, ...) log_line(WARNING, "warning: " format, ##__VA_ARGS__)
/** A change of state. */
#define log_info(format, ...) log_line(INFO, format, ##__VA_ARGS__)
/** Details for developers; not shown by default. */
#define log_debug(format, ...) log_line(DEBUG, format, ##__VA_ARGS__)

#endif
