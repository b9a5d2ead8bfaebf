/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event thread of librte_vhost.
 *
 * Thread safety: the control thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_EVENT_THREAD_H
#define SHUNT_DRIVERS_VHOST_EVENT_THREAD_H

/**
 * Keep the event thread alive once it exists. From DPDK 24.11.6 on the library ends it with its
 * last socket, and the thread that removes the socket waits up to a second for that.
 */
void vhost_event_thread_keep(void);

/** rte_vhost_driver_start(); the first call creates the event thread. @return 0, negative */
int vhost_event_thread_start(const char *path);

/** Make the event thread listen at new sockets now instead of within a second. */
void vhost_event_thread_signal(void);

#endif
