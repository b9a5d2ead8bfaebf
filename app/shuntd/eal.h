/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Setting up DPDK's Environment Abstraction Layer for a switch: memory, log, and nothing of its
 * own on the polling CPUs.
 *
 * Thread safety: main() only, before there are other threads.
 */
#ifndef SHUNT_SHUNTD_EAL_H
#define SHUNT_SHUNTD_EAL_H

#include <sched.h>

#include "options.h"

/**
 * Start the EAL on the CPUs left for control.
 *
 * @param control CPUs for everything that does not poll
 * @return 0 or negative errno with the reason
 */
int eal_start(const struct options *options, const cpu_set_t *control, struct err *err);

/**
 * Log what the memory that eal_start() chose costs. Called once the switch runs: a switch that does
 * not start says why in one line.
 */
void eal_report(void);

#endif
