/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CPUs and NUMA nodes: which CPUs this process may use, which of them poll, and where everything
 * else runs.
 *
 * Thread safety: control thread only (and main() before there are others).
 */
#ifndef SHUNT_LCORE_TOPOLOGY_H
#define SHUNT_LCORE_TOPOLOGY_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { TOPOLOGY_LIST_MAX = 512 };

/** CPUs that the process was allowed at start. @return 0 or negative errno */
int topology_allowed(cpu_set_t *cpus);

/** NUMA node of a CPU; 0 on machines without NUMA. */
int topology_node_of(unsigned cpu);

/** NUMA nodes that memory can come from: the highest number plus one. */
unsigned topology_nodes(void);

/**
 * Parse "1-3,8" or "auto" (every allowed CPU but the first one of each NUMA node).
 *
 * @param allowed what topology_allowed() said
 * @param polling receives the CPUs that are to poll
 * @return 0; -EINVAL with the reason in err: not a list, a CPU that is not there or not allowed,
 *         or no CPU left for the control thread
 */
int topology_parse(const char *list, const cpu_set_t *allowed, cpu_set_t *polling, struct err *err);

/** Print as "1-3,8". @return text */
char *topology_format(const cpu_set_t *cpus, char text[TOPOLOGY_LIST_MAX]);

/** Call `visit` for each thread that this process has. Any thread. */
void topology_threads(void (*visit)(pid_t tid, void *arg), void *arg);

/**
 * Confine every thread of this process to some CPUs, but those named.
 *
 * @param cpus where they may run; not empty
 * @param except tells of a thread that must be left alone (a polling one)
 */
void topology_confine(const cpu_set_t *cpus, bool (*except)(pid_t tid, void *arg), void *arg);

#endif
