/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that librte_vhost creates: their ids, and a signal that ends their waits.
 *
 * Thread safety: as noted at each function.
 */
#ifndef SHUNT_DRIVERS_VHOST_THREADS_H
#define SHUNT_DRIVERS_VHOST_THREADS_H

#include <sys/types.h>

enum { VHOST_THREADS_MAX = 8 };

/** Threads that one call into the library created. Written by control, before other threads read */
struct vhost_threads {
	pid_t tid[VHOST_THREADS_MAX];
	unsigned n;
};

/**
 * Call a function of the library and record the threads that it creates, unless some are recorded
 * already. Control thread.
 *
 * @return what `call` returned
 */
int vhost_threads_record(
	struct vhost_threads *threads, int (*call)(const char *path), const char *path);

/** End the waits of these threads by a signal; the library has no call for it. Any thread. */
void vhost_threads_signal(const struct vhost_threads *threads);

#endif
