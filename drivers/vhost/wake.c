/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * librte_vhost's thread looks at a socket that has just begun to listen only once its poll() returns,
 * which without other traffic takes a second. A signal ends the poll() at once, and the library goes
 * on; no other system call of that thread sees it, since these are started again.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lcore/topology.h"
#include "vhost/vhost.h"

#define WAKE_THREAD "vhost-events" /* as the library names it */

enum { WAKE_SIGNAL = SIGURG }; /* which nobody sends, and nobody would miss */

static void
wake_nothing(int number)
{
	(void)number;
}

static bool
wake_is_named(pid_t tid, const char *wanted)
{
	char path[64], name[32] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	bool read = fgets(name, sizeof(name), file) != NULL;
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return read && strcmp(name, wanted) == 0;
}

static void
wake_thread(pid_t tid, void *arg)
{
	(void)arg;
	if (wake_is_named(tid, WAKE_THREAD))
		tgkill(getpid(), tid, WAKE_SIGNAL);
}

void
vhost_wake(void)
{
	const struct sigaction action = {.sa_handler = wake_nothing, .sa_flags = SA_RESTART};

	if (sigaction(WAKE_SIGNAL, &action, NULL) == 0)
		topology_threads(wake_thread, NULL);
}
