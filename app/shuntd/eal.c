/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "base/log.h"
#include "lcore/topology.h"

LOG_MODULE(eal);

#define EAL_HUGEPAGES "/sys/kernel/mm/hugepages"

enum {
	EAL_ARGS_MAX = 64,
	EAL_HUGEPAGES_KB_MIN = 96 * 1024, /**< below, pools would not fit */
};

#define EAL_NO_HUGE_MB "1024"

struct eal_args {
	char *argv[EAL_ARGS_MAX];
	int argc;
	char lcores[TOPOLOGY_LIST_MAX + 8];
	char log_level[48];
};

static void
eal_add(struct eal_args *args, const char *word)
{
	if (args->argc < EAL_ARGS_MAX - 1)
		args->argv[args->argc++] = (char *)(uintptr_t)word;
}

static unsigned long
eal_free_hugepages_kb(void)
{
	DIR *sizes = opendir(EAL_HUGEPAGES);
	unsigned long sum = 0, size, pages;
	struct dirent *entry;
	char path[512];

	while (sizes != NULL && (entry = readdir(sizes)) != NULL) {
		if (sscanf(entry->d_name, "hugepages-%lukB", &size) != 1)
			continue;
		snprintf(path, sizeof(path), EAL_HUGEPAGES "/%.64s/free_hugepages", entry->d_name);
		FILE *file = fopen(path, "re");
		if (file == NULL)
			continue;
		if (fscanf(file, "%lu", &pages) == 1)
			sum += pages * size;
		fclose(file);
	}
	if (sizes != NULL)
		closedir(sizes);
	return sum;
}

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

/* Hugepages that were free when 4 KB pages were chosen instead; otherwise negative. */
static long eal_too_few_mb = -1;

/*
 * Memory that no other process maps and no file names: nothing to clean up. The EAL has two ways to
 * say so, one for hugepages and one for without.
 */
static void
eal_memory(const struct options *options, struct eal_args *args)
{
	unsigned long free_kb = eal_free_hugepages_kb();
	bool no_huge = eal_has(options, "--no-huge");

	if (!no_huge && free_kb >= EAL_HUGEPAGES_KB_MIN) {
		if (!eal_has(options, "--huge-dir") && !eal_has(options, "--proc-type"))
			eal_add(args, "--in-memory");
		return;
	}
	if (!no_huge) {
		eal_too_few_mb = (long)(free_kb / 1024);
		eal_add(args, "--no-huge");
	}
	eal_add(args, "--no-shconf");
	if (!eal_has(options, "-m")) {
		eal_add(args, "-m");
		eal_add(args, EAL_NO_HUGE_MB);
	}
}

/** Is there a place for telemetry's socket? The EAL would not start without. */
static bool
eal_can_listen(void)
{
	const char *folder = getenv("RUNTIME_DIRECTORY");

	/* The same places as in the EAL and in dpdk-telemetry.py. */
	if (folder == NULL)
		folder = getuid() == 0 ? "/var/run" : getenv("XDG_RUNTIME_DIR");
	return access(folder != NULL ? folder : "/tmp", W_OK | X_OK) == 0;
}

static void
eal_arguments(const struct options *options, const cpu_set_t *control, struct eal_args *args)
{
	char list[TOPOLOGY_LIST_MAX];

	eal_add(args, "shuntd");
	snprintf(args->lcores, sizeof(args->lcores), "0@(%s)", topology_format(control, list));
	eal_add(args, "--lcores");
	eal_add(args, args->lcores);
	/* It warns of a socket of an older kind. Of what is yet to be registered the first wins. */
	eal_add(args, "--log-level=lib.telemetry:error");
	eal_add(args, "--log-level=*:warning");
	eal_add(args, "--log-level=lib.eal:error"); /* warns of every page size not used */
	snprintf(args->log_level, sizeof(args->log_level), "--log-level=shunt.*:%s",
		options->log_level);
	eal_add(args, args->log_level);
	if (!eal_can_listen())
		eal_add(args, "--no-telemetry");
	eal_memory(options, args);
	/* Take no device unasked: ports plug in theirs. */
	if (!eal_has(options, "-a") && !eal_has(options, "--allow") && !eal_has(options, "-b") &&
		!eal_has(options, "--block") && !eal_has(options, "--no-pci")) {
		eal_add(args, "-a");
		eal_add(args, "0000:00:00.0");
	}
	for (int i = 0; i < options->eal_argc; i++)
		eal_add(args, options->eal_argv[i]);
}

int
eal_start(const struct options *options, const cpu_set_t *control, struct err *err)
{
	static struct eal_args args;

	if (options->eal_argc > EAL_ARGS_MAX / 2)
		return err_set(err, EINVAL, "too many EAL arguments");
	rte_openlog_stream(stderr);
	/* What the EAL starts beside us stays where this thread is. */
	sched_setaffinity(0, sizeof(*control), control);
	eal_arguments(options, control, &args);
	if (rte_eal_init(args.argc, args.argv) < 0)
		return err_set(err, EINVAL, "DPDK does not start: %s (see its lines above)",
			rte_strerror(rte_errno));
	return 0;
}

void
eal_report(void)
{
	if (eal_too_few_mb >= 0)
		log_warning("%ld MB of hugepages free: using 4 KB pages, which costs some speed "
			    "and cannot feed PCI devices (sysctl vm.nr_hugepages=1024; see "
			    "doc/tuning.md)",
			eal_too_few_mb);
}
