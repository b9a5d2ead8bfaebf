/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's event thread: it listens at a new socket at once, and does not end with the last one. */
#include <rte_version.h>
#include <rte_vhost.h>

#include "base/log.h"
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
 * that takes a second.
 */
static struct vhost_threads thread_event; /* control's alone */

int
vhost_thread_start(const char *path)
{
	return vhost_threads_find(&thread_event, rte_vhost_driver_start, path);
}

void
vhost_thread_wake(void)
{
	vhost_threads_wake(&thread_event);
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
