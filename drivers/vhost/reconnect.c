/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Client mode: connects as soon as a front end listens.
 *
 * The library tries to connect at once, and then once a second on a thread of its own. Here inotify
 * reports that the socket is created, and a signal ends that thread's sleep. Between bind(), which
 * inotify reports, and listen(), which nothing reports, a connection is refused: the signal is sent
 * several times, at growing intervals. After that the library's own retry remains, within a second.
 */
#include "vhost/reconnect.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <rte_vhost.h>

#include "base/log.h"
#include "vhost/keys.h"
#include "vhost/threads.h"

LOG_MODULE(vhost);

enum {
	RECONNECT_FIRST_MS = 1,
	RECONNECT_LAST_MS = 64,
	RECONNECT_IDLE = -1, /* poll() without a timeout */
};

/** A socket that a port connects to. */
struct reconnect_socket {
	struct reconnect_socket *next;
	int directory; /**< its inotify watch descriptor; -1 = not watched */
	char path[VHOST_PATH_MAX];
};

/* Written by control before the watching thread starts. */
static struct vhost_threads reconnect_threads; /* the library's; tries sockets once a second */
static int reconnect_inotify = -1;

/* Guarded by reconnect_lock: control writes, the watching thread reads. */
static struct reconnect_socket *reconnect_sockets;
static pthread_mutex_t reconnect_lock = PTHREAD_MUTEX_INITIALIZER;

/** @return file name of a socket's path */
static const char *
reconnect_file_name(const struct reconnect_socket *socket)
{
	return strrchr(socket->path, '/') + 1;
}

/** Whether an event is about a socket that a port connects to. */
static bool
reconnect_is_relevant(const struct inotify_event *event)
{
	bool relevant = (event->mask & IN_Q_OVERFLOW) != 0;

	pthread_mutex_lock(&reconnect_lock);
	for (const struct reconnect_socket *socket = reconnect_sockets;
		socket != NULL && !relevant && event->len > 0; socket = socket->next)
		relevant = socket->directory == event->wd &&
			   strcmp(reconnect_file_name(socket), event->name) == 0;
	pthread_mutex_unlock(&reconnect_lock);
	return relevant;
}

/** Read pending events. @return true if one is about a socket that a port connects to */
static bool
reconnect_read(void)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n = read(reconnect_inotify, events, sizeof(events));
	bool relevant = false;

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(events + at);

		relevant = reconnect_is_relevant(event) || relevant;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return relevant;
}

/** Thread vhost-watch: interrupt the library's sleep when a socket is created. */
static void *
reconnect_run(void *arg)
{
	struct pollfd events = {.fd = reconnect_inotify, .events = POLLIN};
	int wait_ms = RECONNECT_IDLE;

	(void)arg;
	for (;;) {
		int n = poll(&events, 1, wait_ms);

		if (n > 0 && reconnect_read())
			wait_ms = RECONNECT_FIRST_MS;
		else if (n == 0)
			wait_ms = wait_ms < RECONNECT_LAST_MS ? 2 * wait_ms : RECONNECT_IDLE;
		if (wait_ms != RECONNECT_IDLE)
			vhost_threads_signal(&reconnect_threads);
	}
	return NULL;
}

/** Start the watching thread. Without it the library's retry once a second remains. */
static void
reconnect_start(void)
{
	pthread_t thread;

	reconnect_inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = reconnect_inotify < 0 ? errno : 0;
	if (rc == 0)
		rc = pthread_create(&thread, NULL, reconnect_run, NULL);
	if (rc != 0) {
		log_warning("front ends that begin to listen are detected only within a second: %s",
			strerror(rc));
		return;
	}
	pthread_setname_np(thread, "vhost-watch");
	pthread_detach(thread);
}

/** Register a socket in client mode; the library's first one creates its thread. */
static int
reconnect_register(const char *path)
{
	return rte_vhost_driver_register(path, RTE_VHOST_USER_CLIENT);
}

int
vhost_reconnect_register(const char *path)
{
	bool watching = reconnect_threads.n > 0;
	int rc = vhost_threads_record(&reconnect_threads, reconnect_register, path);

	if (!watching && reconnect_threads.n > 0)
		reconnect_start();
	return rc;
}

/** Watch a socket's directory. @return watch descriptor, the same for one directory; -1 = none */
static int
reconnect_watch(const struct reconnect_socket *socket)
{
	char directory[VHOST_PATH_MAX];
	int length = (int)(reconnect_file_name(socket) - socket->path);

	snprintf(directory, sizeof(directory), "%.*s", length, socket->path);
	return inotify_add_watch(
		reconnect_inotify, directory, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR);
}

/** @return the socket of a path; NULL if vhost_reconnect_add() was not called for it */
static struct reconnect_socket *
reconnect_find(const char *path)
{
	struct reconnect_socket *socket = reconnect_sockets;

	while (socket != NULL && strcmp(socket->path, path) != 0)
		socket = socket->next;
	return socket;
}

void
vhost_reconnect_add(const char *path)
{
	struct reconnect_socket *socket = reconnect_find(path);

	if (socket == NULL) {
		socket = calloc(1, sizeof(*socket));
		if (socket == NULL)
			return;
		snprintf(socket->path, sizeof(socket->path), "%s", path);
		socket->directory = -1;
		pthread_mutex_lock(&reconnect_lock);
		socket->next = reconnect_sockets;
		reconnect_sockets = socket;
		pthread_mutex_unlock(&reconnect_lock);
	}
	int directory = reconnect_watch(socket);
	if (directory == socket->directory)
		return;
	pthread_mutex_lock(&reconnect_lock);
	socket->directory = directory;
	pthread_mutex_unlock(&reconnect_lock);
	/* It may have been created before its directory was watched. */
	vhost_threads_signal(&reconnect_threads);
}

void
vhost_reconnect_remove(const char *path)
{
	struct reconnect_socket *socket = reconnect_find(path), **link = &reconnect_sockets;
	bool last = true;

	if (socket == NULL)
		return;
	pthread_mutex_lock(&reconnect_lock);
	while (*link != socket)
		link = &(*link)->next;
	*link = socket->next;
	pthread_mutex_unlock(&reconnect_lock);
	for (const struct reconnect_socket *other = reconnect_sockets; other != NULL;
		other = other->next)
		last = last && other->directory != socket->directory;
	if (last && socket->directory >= 0)
		inotify_rm_watch(reconnect_inotify, socket->directory);
	free(socket);
}
