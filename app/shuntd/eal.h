/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start of DPDK's Environment Abstraction Layer: memory, log, and no EAL threads on polling CPUs.
 *
 * Thread safety: main() only, before other threads are started.
 */
#ifndef SHUNT_SHUNTD_EAL_H
#define SHUNT_SHUNTD_EAL_H

#include <sched.h>

#include "options.h"

/**
 * Start the EAL on the control CPUs.
 *
 * @param control CPUs of all threads that are not polling lcores
 * @return 0; negative errno with the reason in err
 */
int eal_start(const struct options *options, const cpu_set_t *control, struct err *err);

/**
 * Log the drawbacks of the memory that eal_start() has chosen. Called after the start of the
 * switch, so that a switch that does not start logs its reason as the only line.
 */
void eal_report(void);

#endif
