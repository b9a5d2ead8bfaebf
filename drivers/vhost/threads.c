/* SPDX-License-Identifier: BSD-3-Clause */
/* Records threads that the vhost library creates, and ends their waits by a signal. */
#include "vhost/threads.h"

#include <signal.h>
#include <unistd.h>

#include <rte_common.h>

#include "lcore/topology.h"

enum {
	THREADS_SIGNAL = SIGURG, /* nothing else sends it; ignored by default */
	THREADS_MAX = 4096,
};

/* Threads that exist before the call. Only used by control. */
static pid_t threads_before[THREADS_MAX];
static unsigned threads_n;

/** Record a thread that exists before the call. */
static void
threads_record_old(pid_t tid, void *arg)
{
	(void)arg;
	if (threads_n < RTE_DIM(threads_before))
		threads_before[threads_n++] = tid;
}

/** Record a thread that did not exist before the call. */
static void
threads_record_new(pid_t tid, void *arg)
{
	struct vhost_threads *threads = arg;

	for (unsigned i = 0; i < threads_n; i++)
		if (threads_before[i] == tid)
			return;
	if (threads->n < RTE_DIM(threads->tid))
		threads->tid[threads->n++] = tid;
}

/** Signal handler: the signal only ends a wait. */
static void
threads_ignore_signal(int number)
{
	(void)number;
}

int
vhost_threads_record(struct vhost_threads *threads, int (*call)(const char *path), const char *path)
{
	/* SA_RESTART: system calls other than waits are restarted, in whichever thread. */
	const struct sigaction action = {
		.sa_handler = threads_ignore_signal, .sa_flags = SA_RESTART};

	if (threads->n > 0 || sigaction(THREADS_SIGNAL, &action, NULL) < 0)
		return call(path);
	threads_n = 0;
	topology_threads(threads_record_old, NULL);
	int rc = call(path);
	topology_threads(threads_record_new, threads);
	return rc;
}

void
vhost_threads_signal(const struct vhost_threads *threads)
{
	for (unsigned i = 0; i < threads->n; i++)
		tgkill(getpid(), threads->tid[i], THREADS_SIGNAL);
}
