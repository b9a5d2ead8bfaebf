/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps the library's event thread, and makes it listen at a new socket at once. */
#include "vhost/event_thread.h"

#include <rte_version.h>
#include <rte_vhost.h>

#include "base/log.h"
#include "vhost/threads.h"

LOG_MODULE(vhost);

#define EVENT_THREAD_KEEPER "shunt: keeps the event thread" /* a name only: no socket is created */

void
vhost_event_thread_keep(void)
{
	static bool kept;

	/* Never started: it makes and accepts no connection. */
	if (!kept)
		kept = rte_vhost_driver_register(EVENT_THREAD_KEEPER,
			       RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT) == 0;
	if (!kept)
		log_warning(
			"the event thread of librte_vhost ends with the last vhost port, which takes "
			"up to a second");
}

#if RTE_VERSION < RTE_VERSION_NUM(24, 7, 0, 0)

/*
 * The event thread waits by poll(), which does not notice a socket added meanwhile: without other
 * traffic that takes a second.
 */
static struct vhost_threads event_threads; /* only used by control */

int
vhost_event_thread_start(const char *path)
{
	return vhost_threads_record(&event_threads, rte_vhost_driver_start, path);
}

void
vhost_event_thread_signal(void)
{
	vhost_threads_signal(&event_threads);
}

#else

/* The event thread waits by epoll, which notices a new socket at once. */
int
vhost_event_thread_start(const char *path)
{
	return rte_vhost_driver_start(path);
}

void
vhost_event_thread_signal(void)
{
}

#endif
