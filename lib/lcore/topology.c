/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUs, NUMA nodes and CPU affinity of threads. */
#include "lcore/topology.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <numa.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
topology_allowed(cpu_set_t *cpus)
{
	CPU_ZERO(cpus);
	return sched_getaffinity(0, sizeof(*cpus), cpus) == 0 ? 0 : -errno;
}

int
topology_node_of(unsigned cpu)
{
	int node = numa_available() < 0 ? 0 : numa_node_of_cpu((int)cpu);

	return node < 0 ? 0 : node;
}

unsigned
topology_nodes(void)
{
	return numa_available() < 0 ? 1 : (unsigned)numa_max_node() + 1;
}

/** Parse "1" or "1-3", and the comma after it. @return 0 or -EINVAL */
static int
topology_parse_range(const char **cursor, long *first, long *last)
{
	char *end;

	if (!isdigit((unsigned char)**cursor))
		return -EINVAL;
	*first = *last = strtol(*cursor, &end, 10);
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return -EINVAL;
		*last = strtol(end + 1, &end, 10);
	}
	if (*end == ',' && end[1] != '\0')
		end++;
	else if (*end != '\0')
		return -EINVAL;
	*cursor = end;
	return *first <= *last && *last < CPU_SETSIZE ? 0 : -EINVAL;
}

/** Parse a list of ranges. @return 0; -EINVAL with the reason */
static int
topology_parse_list(const char *list, const cpu_set_t *allowed, cpu_set_t *polling, struct err *err)
{
	const char *cursor = list;
	char text[TOPOLOGY_LIST_MAX];
	long first, last;

	do {
		if (topology_parse_range(&cursor, &first, &last) < 0)
			return err_set(
				err, EINVAL, "lcores: '%.60s' is not a list such as 1-3,8", list);
		for (long cpu = first; cpu <= last; cpu++) {
			if (!CPU_ISSET(cpu, allowed))
				return err_set(err, EINVAL,
					"lcores: no CPU %ld here; this process may use %s", cpu,
					topology_format(allowed, text));
			CPU_SET(cpu, polling);
		}
	} while (*cursor != '\0');
	return 0;
}

/** Select all allowed CPUs but the first one of each NUMA node. */
static void
topology_parse_auto(const cpu_set_t *allowed, cpu_set_t *polling)
{
	uint64_t kept[(CPU_SETSIZE + 63) / 64] = {0};

	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed))
			continue;
		unsigned node = (unsigned)topology_node_of(cpu) % CPU_SETSIZE;
		uint64_t bit = UINT64_C(1) << (node % 64);
		if (kept[node / 64] & bit)
			CPU_SET(cpu, polling);
		kept[node / 64] |= bit;
	}
}

int
topology_parse(const char *list, const cpu_set_t *allowed, cpu_set_t *polling, struct err *err)
{
	char text[TOPOLOGY_LIST_MAX];

	CPU_ZERO(polling);
	if (strcmp(list, "auto") == 0) {
		topology_parse_auto(allowed, polling);
	} else {
		int rc = topology_parse_list(list, allowed, polling, err);
		if (rc < 0)
			return rc;
	}
	if (CPU_COUNT(polling) == 0)
		return err_set(err, EINVAL,
			"lcores: this process may use CPU %s only, and polling needs one of its own",
			topology_format(allowed, text));
	if (CPU_COUNT(polling) == CPU_COUNT(allowed))
		return err_set(err, EINVAL,
			"lcores: '%.60s' leaves no CPU for the control thread; leave one of %s out",
			list, topology_format(allowed, text));
	return 0;
}

char *
topology_format(const cpu_set_t *cpus, char text[TOPOLOGY_LIST_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, cpus))
			continue;
		int last = cpu;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
			last++;
		int wrote = snprintf(text + used, TOPOLOGY_LIST_MAX - used,
			last > cpu ? "%s%d-%d" : "%s%d", used > 0 ? "," : "", cpu, last);
		if (wrote < 0 || used + wrote >= TOPOLOGY_LIST_MAX) {
			text[used] = '\0'; /* no truncated number */
			break;
		}
		used += wrote;
		cpu = last;
	}
	return text;
}

void
topology_threads(void (*visit)(pid_t tid, void *arg), void *arg)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;

	if (tasks == NULL)
		return;
	while ((task = readdir(tasks)) != NULL) {
		pid_t tid = (pid_t)strtol(task->d_name, NULL, 10);
		if (tid > 0)
			visit(tid, arg);
	}
	closedir(tasks);
}

/** Arguments of topology_confine(). */
struct confinement {
	const cpu_set_t *cpus;
	bool (*except)(pid_t tid, void *arg);
	void *arg;
};

/** Set the affinity of a thread, unless it is excepted. */
static void
topology_confine_thread(pid_t tid, void *arg)
{
	const struct confinement *to = arg;

	if (!to->except(tid, to->arg))
		sched_setaffinity(tid, sizeof(*to->cpus), to->cpus);
}

void
topology_confine(const cpu_set_t *cpus, bool (*except)(pid_t tid, void *arg), void *arg)
{
	struct confinement to = {cpus, except, arg};

	topology_threads(topology_confine_thread, &to);
}
