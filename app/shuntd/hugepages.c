/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts free hugepages, and tests in a child process whether the kernel grants them. */
#include "hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGEPAGES "/sys/kernel/mm/hugepages"

enum { HUGEPAGES_SIZES_MAX = 8 };

/** Results of the test: exit status of the child process. */
enum trial {
	TRIAL_GOOD,
	TRIAL_NO_MEMORY,
	TRIAL_NO_POLICY,
	TRIAL_NO_ADDRESSES,
	TRIAL_NO_FILES,
};

struct hugepages {
	unsigned long kb; /**< size of a page */
	unsigned long free;
};

/* Virtual address space that the EAL reserves for hugepages of one size on one NUMA node. */
#define HUGEPAGES_RESERVED (UINT64_C(64) << 30)

/** Order for qsort(): by page size. */
static int
hugepages_compare(const void *one, const void *other)
{
	const struct hugepages *a = one, *b = other;

	return a->kb < b->kb ? -1 : a->kb > b->kb;
}

/** List the page sizes in ascending order. @return their number */
static unsigned
hugepages_list(struct hugepages list[HUGEPAGES_SIZES_MAX])
{
	DIR *sizes = opendir(HUGEPAGES);
	struct dirent *entry;
	char path[512];
	unsigned n = 0;

	while (sizes != NULL && n < HUGEPAGES_SIZES_MAX && (entry = readdir(sizes)) != NULL) {
		if (sscanf(entry->d_name, "hugepages-%lukB", &list[n].kb) != 1)
			continue;
		snprintf(path, sizeof(path), HUGEPAGES "/%.64s/free_hugepages", entry->d_name);
		FILE *file = fopen(path, "re");
		if (file == NULL)
			continue;
		n += fscanf(file, "%lu", &list[n].free) == 1;
		fclose(file);
	}
	if (sizes != NULL)
		closedir(sizes);
	qsort(list, n, sizeof(list[0]), hugepages_compare);
	return n;
}

unsigned long
hugepages_free_kb(void)
{
	struct hugepages list[HUGEPAGES_SIZES_MAX];
	unsigned n = hugepages_list(list);
	unsigned long sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += list[i].free * list[i].kb;
	return sum;
}

/** Map pages of an unnamed file, as the EAL does. */
static enum trial
hugepages_trial_pages(unsigned long kb, unsigned long pages)
{
	unsigned flags = MFD_HUGETLB | (unsigned)(__builtin_ctzl(kb << 10)) << MAP_HUGE_SHIFT;
	size_t size = kb << 10;
	bool policies = numa_available() >= 0; /* else the EAL sets none */
	int node;

	for (unsigned long i = 0; i < pages; i++) {
		int file = memfd_create("shunt", flags);
		if (file < 0)
			return TRIAL_NO_MEMORY;
		if (ftruncate(file, (off_t)size) < 0)
			return errno == EFBIG ? TRIAL_NO_FILES : TRIAL_NO_MEMORY;
		volatile char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		if (page == MAP_FAILED)
			return TRIAL_NO_MEMORY;
		*page = 0; /* SIGBUS if a limit applies at the access only */
		close(file);
		if (policies && get_mempolicy(&node, NULL, 0, (void *)(uintptr_t)page,
					MPOL_F_NODE | MPOL_F_ADDR) < 0)
			return TRIAL_NO_POLICY;
	}
	return TRIAL_GOOD;
}

/** Child process: map all memory that the EAL will map. Never returns. */
static void
hugepages_trial_run(unsigned long kb)
{
	struct hugepages list[HUGEPAGES_SIZES_MAX];
	unsigned n = hugepages_list(list);
	struct rlimit core = {0};
	enum trial trial = TRIAL_GOOD;

	signal(SIGBUS, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_CORE, &core);
	if (mmap(NULL, HUGEPAGES_RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0) == MAP_FAILED)
		_exit(TRIAL_NO_ADDRESSES);
	for (unsigned i = 0; i < n && kb > 0 && trial == TRIAL_GOOD; i++) {
		unsigned long pages = (kb + list[i].kb - 1) / list[i].kb;

		if (pages > list[i].free)
			pages = list[i].free;
		trial = hugepages_trial_pages(list[i].kb, pages);
		kb -= pages * list[i].kb < kb ? pages * list[i].kb : kb;
	}
	_exit(trial);
}

const char *
hugepages_obstacle(unsigned long kb)
{
	static const char *const obstacles[] = {
		[TRIAL_NO_MEMORY] = "the kernel gives none (a limit of the container's hugetlb "
				    "cgroup: raise it)",
		[TRIAL_NO_POLICY] = "memory policies are forbidden (a seccomp profile of the "
				    "container: allow get_mempolicy, set_mempolicy and mbind)",
		[TRIAL_NO_FILES] = "the size of files is limited (ulimit -f: raise it)",
		[TRIAL_NO_ADDRESSES] = "addresses are limited (ulimit -v: raise it)",
	};
	int status;
	pid_t child = fork();

	if (child == 0)
		hugepages_trial_run(kb);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child < 0)
		return NULL;
	if (WIFSIGNALED(status))
		return obstacles[TRIAL_NO_MEMORY];
	return obstacles[WEXITSTATUS(status)];
}
