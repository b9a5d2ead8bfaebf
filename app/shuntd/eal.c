/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts DPDK's EAL with arguments that fit this machine. */
#include "eal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "base/log.h"
#include "hugepages.h"
#include "lcore/plugins.h"
#include "lcore/topology.h"

LOG_MODULE(eal);

enum {
	EAL_ARGS_MAX = 64,
	EAL_HUGEPAGES_KB_MIN = 96 * 1024, /**< minimum for the pools */
};

#define EAL_NO_HUGE_MB "1024"

static char eal_warning[320]; /* about memory; empty: none */

struct eal_args {
	char *argv[EAL_ARGS_MAX];
	int argc;
	char lcores[TOPOLOGY_LIST_MAX + 8];
	char log_level[48];
	bool small_pages; /* set here if no hugepages can be used */
};

/** Append an argument. */
static void
eal_add(struct eal_args *args, const char *word)
{
	if (args->argc < EAL_ARGS_MAX - 1)
		args->argv[args->argc++] = (char *)(uintptr_t)word;
}

/** Whether an argument was given on the command line, alone or with a value. */
static bool
eal_has(const struct options *options, const char *word)
{
	size_t length = strlen(word);

	for (int i = 0; i < options->eal_argc; i++) {
		const char *given = options->eal_argv[i];
		if (strncmp(given, word, length) == 0 &&
			(given[length] == '\0' || given[length] == '=' ||
				(length == 2 && word[1] != '-')))
			return true;
	}
	return false;
}

/** Add an argument unless it was given: DPDK 25.11 refuses duplicates. */
static void
eal_add_once(const struct options *options, struct eal_args *args, const char *word)
{
	if (!eal_has(options, word))
		eal_add(args, word);
}

/** Whether the given arguments require hugepages. */
static bool
eal_requires_hugepages(const struct options *options)
{
	/* Each of these excludes --no-huge. */
	static const char *const words[] = {"--huge-dir", "--huge-unlink", "--socket-mem",
		"--numa-mem", "--pagesz-mem", "--match-allocations", "--huge-worker-stack", NULL};

	for (int i = 0; words[i] != NULL; i++)
		if (eal_has(options, words[i]))
			return true;
	return false;
}

/** Whether the EAL should use hugepages. If not, eal_report() logs the reason. */
static bool
eal_uses_hugepages(const struct options *options)
{
	unsigned long free_kb = hugepages_free_kb();
	const char *why;

	if (eal_requires_hugepages(options))
		return true;
	if (free_kb < EAL_HUGEPAGES_KB_MIN) {
		snprintf(eal_warning, sizeof(eal_warning),
			"%lu MB of hugepages free: using 4 KB pages, which are slower and "
			"exclude PCI devices (sysctl vm.nr_hugepages=1024; see doc/tuning.md)",
			free_kb / 1024);
		return false;
	}
	why = hugepages_obstacle(EAL_HUGEPAGES_KB_MIN);
	if (why != NULL)
		snprintf(eal_warning, sizeof(eal_warning),
			"%lu MB of hugepages free, but %s: using 4 KB pages, which are "
			"slower and exclude PCI devices (see doc/containers.md)",
			free_kb / 1024, why);
	return why == NULL;
}

/**
 * Append the arguments for memory: hugepages or not, and in either case without file names. Memory
 * that is not shared with other processes needs no cleanup.
 */
static void
eal_add_memory(const struct options *options, struct eal_args *args)
{
	bool no_huge = eal_has(options, "--no-huge");

	if (!no_huge && eal_uses_hugepages(options)) {
		if (!eal_has(options, "--huge-dir") && !eal_has(options, "--huge-unlink") &&
			!eal_has(options, "--legacy-mem") && !eal_has(options, "--proc-type"))
			eal_add_once(options, args, "--in-memory");
		return;
	}
	args->small_pages = !no_huge;
	eal_add_once(options, args, "--no-huge");
	eal_add_once(options, args, "--no-shconf");
	if (!eal_has(options, "-m") && !eal_has(options, "--memory-size")) {
		eal_add(args, "-m");
		eal_add(args, EAL_NO_HUGE_MB);
	}
}

/** Whether a directory for telemetry's socket exists. Without one the EAL does not start. */
static bool
eal_can_listen(void)
{
	const char *folder = getenv("RUNTIME_DIRECTORY");

	/* The same directories as in the EAL and in dpdk-telemetry.py. */
	if (folder == NULL)
		folder = getuid() == 0 ? "/var/run" : getenv("XDG_RUNTIME_DIR");
	return access(folder != NULL ? folder : "/tmp", W_OK | X_OK) == 0;
}

/** Build the arguments of the EAL; those given on the command line come last. */
static void
eal_build_arguments(const struct options *options, const cpu_set_t *control, struct eal_args *args)
{
	char list[TOPOLOGY_LIST_MAX];

	eal_add(args, "shuntd");
	snprintf(args->lcores, sizeof(args->lcores), "0@(%s)", topology_format(control, list));
	eal_add(args, "--lcores");
	eal_add(args, args->lcores);
	/* Telemetry warns of its older socket. For log types not registered yet the first wins. */
	eal_add(args, "--log-level=lib.telemetry:error");
	eal_add(args, "--log-level=*:warning");
	eal_add(args, "--log-level=lib.eal:error"); /* warns of every unused page size */
	snprintf(args->log_level, sizeof(args->log_level), "--log-level=shunt.*:%s",
		options->log_level);
	eal_add(args, args->log_level);
	if (!eal_can_listen())
		eal_add_once(options, args, "--no-telemetry");
	eal_add_memory(options, args);
	/* Probe no devices by default: ports plug in theirs. */
	if (!eal_has(options, "-a") && !eal_has(options, "--allow") && !eal_has(options, "-b") &&
		!eal_has(options, "--block") && !eal_has(options, "--no-pci") &&
		(plugins_present("bus_pci") || eal_has(options, "-d") ||
			eal_has(options, "--driver-path"))) {
		eal_add(args, "-a");
		eal_add(args, "0000:00:00.0");
	}
	for (int i = 0; i < options->eal_argc; i++)
		/* --in-memory is for hugepages only; without them there are no files anyway. */
		if (!args->small_pages || strcmp(options->eal_argv[i], "--in-memory") != 0)
			eal_add(args, options->eal_argv[i]);
}

/** Whether the mempool operations for mbuf pools are registered. */
static bool
eal_has_mempools(void)
{
	const char *wanted = rte_mbuf_best_mempool_ops();

	for (unsigned i = 0; i < rte_mempool_ops_table.num_ops; i++)
		if (strcmp(rte_mempool_ops_table.ops[i].name, wanted) == 0)
			return true;
	return false;
}

int
eal_start(const struct options *options, const cpu_set_t *control, struct err *err)
{
	static struct eal_args args;
	char missing[PLUGINS_TEXT_MAX];

	if (options->eal_argc > EAL_ARGS_MAX / 2)
		return err_set(err, EINVAL, "too many EAL arguments");
	rte_openlog_stream(stderr);
	signal(SIGXFSZ, SIG_IGN); /* the EAL can run without files beyond the size limit */
	/* Threads of the EAL inherit the affinity of this thread. */
	sched_setaffinity(0, sizeof(*control), control);
	eal_build_arguments(options, control, &args);
	if (rte_eal_init(args.argc, args.argv) < 0)
		return err_set(err, EINVAL, "DPDK does not start: %s (see its messages above)",
			rte_strerror(rte_errno));
	if (!eal_has_mempools())
		return err_set(err, ENOTSUP, "%s", plugins_missing("mempool_ring", missing));
	return 0;
}

void
eal_report(void)
{
	if (eal_warning[0] != '\0')
		log_warning("%s", eal_warning);
}
