/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's event thread: it listens at a new socket at once, and does not end with the last one. */
#include <signal.h>
#include <unistd.h>

#include <rte_version.h>
#include <rte_vhost.h>

#include "base/log.h"
#include "lcore/topology.h"
#include "vhost/vhost.h"

LOG_MODULE(vhost);

#define THREAD_KEEPER "shunt: keeps the event thread" /* a name, nothing is made of it */

void
vhost_thread_keep(void)
{
	static bool kept;

	/* Never started: it connects to nothing, and nothing can connect to it. */
	if (!kept)
		kept = rte_vhost_driver_register(THREAD_KEEPER,
			       RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT) == 0;
	if (!kept)
		log_warning("the vhost library's thread ends with the last vhost port, which takes "
			    "up to a second");
}

#if RTE_VERSION < RTE_VERSION_NUM(24, 7, 0, 0)

/*
 * It waits by poll(), which does not see a socket that was added meanwhile: without other traffic
 * that takes a second. A signal ends the poll(); the library offers no other way.
 */
enum {
	THREAD_SIGNAL = SIGURG, /* nothing else sends it, and to ignore it is its default */
	THREAD_MAX = 4096,
};

struct thread_list {
	pid_t tid[THREAD_MAX];
	unsigned n;
};

/* Control's alone. */
static struct thread_list thread_before; /* threads there before the library created its own */
static struct thread_list thread_new;    /* threads that appeared while it did */

static void
thread_add(pid_t tid, void *arg)
{
	struct thread_list *list = arg;

	if (list->n < THREAD_MAX)
		list->tid[list->n++] = tid;
}

static void
thread_add_new(pid_t tid, void *arg)
{
	for (unsigned i = 0; i < thread_before.n; i++)
		if (thread_before.tid[i] == tid)
			return;
	thread_add(tid, arg);
}

int
vhost_thread_start(const char *path)
{
	if (thread_before.n > 0)
		return rte_vhost_driver_start(path);
	topology_threads(thread_add, &thread_before);
	int rc = rte_vhost_driver_start(path);
	topology_threads(thread_add_new, &thread_new);
	return rc;
}

static void
thread_nothing(int number)
{
	(void)number;
}

void
vhost_thread_wake(void)
{
	/* System calls other than poll() are started again, whichever thread is in them. */
	const struct sigaction action = {.sa_handler = thread_nothing, .sa_flags = SA_RESTART};

	if (sigaction(THREAD_SIGNAL, &action, NULL) < 0)
		return;
	for (unsigned i = 0; i < thread_new.n; i++)
		tgkill(getpid(), thread_new.tid[i], THREAD_SIGNAL);
}

#else

/* It waits by epoll, which sees a new socket at once. */
int
vhost_thread_start(const char *path)
{
	return rte_vhost_driver_start(path);
}

void
vhost_thread_wake(void)
{
}

#endif
