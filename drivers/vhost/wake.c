/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * librte_vhost's thread looks at a socket that has just begun to listen only once its poll() returns,
 * which without other traffic takes a second. A signal ends the poll() at once, and the library goes
 * on; no other system call of that thread sees it, since these are started again.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vhost/vhost.h"

#define WAKE_THREAD "vhost-events" /* as the library names it */

enum { WAKE_SIGNAL = SIGURG }; /* which nobody sends, and nobody would miss */

static void
wake_nothing(int number)
{
	(void)number;
}

static bool
wake_is_named(const char *task, const char *wanted)
{
	char path[64], name[32] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", task);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	bool read = fgets(name, sizeof(name), file) != NULL;
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return read && strcmp(name, wanted) == 0;
}

/** @return the thread of that name; 0 = there is none */
static pid_t
wake_find(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	pid_t found = 0;

	if (tasks == NULL)
		return 0;
	while (found == 0 && (task = readdir(tasks)) != NULL)
		if (wake_is_named(task->d_name, name))
			found = (pid_t)atoi(task->d_name);
	closedir(tasks);
	return found;
}

void
vhost_wake(void)
{
	const struct sigaction action = {.sa_handler = wake_nothing, .sa_flags = SA_RESTART};
	pid_t thread = wake_find(WAKE_THREAD);

	if (thread > 0 && sigaction(WAKE_SIGNAL, &action, NULL) == 0)
		tgkill(getpid(), thread, WAKE_SIGNAL);
}
