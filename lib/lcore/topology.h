/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUs and NUMA nodes: the CPUs that this process may use, those that poll, and the affinity of all
 * other threads.
 *
 * Thread safety: control thread only, and main() before it starts threads.
 */
#ifndef SHUNT_LCORE_TOPOLOGY_H
#define SHUNT_LCORE_TOPOLOGY_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	TOPOLOGY_LIST_MAX = 512,
	LCORE_MAX = 64, /**< polling lcores at a time; their ids are below */
};

/**
 * Get the CPUs that the calling thread may use.
 *
 * @param cpus receives them
 * @return 0 or negative errno
 */
int topology_allowed(cpu_set_t *cpus);

/**
 * Find the NUMA node of a CPU.
 *
 * @param cpu number of a CPU
 * @return number of the node; 0 on machines without NUMA
 */
int topology_node_of(unsigned cpu);

/** @return the highest number of a NUMA node plus one */
unsigned topology_nodes(void);

/**
 * Parse "1-3,8" or "auto", which is all allowed CPUs but the first one of each NUMA node.
 *
 * @param list untrusted
 * @param allowed from topology_allowed()
 * @param polling receives the CPUs of polling lcores
 * @return 0; -EINVAL with the reason in err: not a list, a CPU that does not exist or is not
 *         allowed, none to poll, or none left for the control thread
 */
int topology_parse(const char *list, const cpu_set_t *allowed, cpu_set_t *polling, struct err *err);

/**
 * Print as "1-3,8".
 *
 * @param cpus set to print
 * @return `text`, cut at its size
 */
char *topology_format(const cpu_set_t *cpus, char text[TOPOLOGY_LIST_MAX]);

/**
 * Call `visit` for each thread of this process. Any thread may call.
 *
 * @param visit called with the thread id of each
 * @param arg passed to `visit`
 */
void topology_threads(void (*visit)(pid_t tid, void *arg), void *arg);

/**
 * Set the affinity of all threads of this process, with exceptions.
 *
 * @param cpus that they may use; not empty
 * @param except returns true for a thread to leave unchanged: a polling lcore
 * @param arg passed to `except`
 */
void topology_confine(const cpu_set_t *cpus, bool (*except)(pid_t tid, void *arg), void *arg);

#endif
