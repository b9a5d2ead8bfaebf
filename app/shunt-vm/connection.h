/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unix socket to a back end: either side may be the one that listens.
 *
 * Thread safety: a connection belongs to one thread at a time.
 */
#ifndef SHUNT_VM_CONNECTION_H
#define SHUNT_VM_CONNECTION_H

#include <stdbool.h>

#include "base/err.h"

/** Listen on a path; a socket that nobody listens on any more is replaced. @return fd, -errno */
int connection_listen(const char *path, struct err *err);

/** Wait for a back end to connect. @return fd, -errno */
int connection_accept(int listener, double seconds, struct err *err);

/** Connect, again and again until somebody listens or the time is over. @return fd, -errno */
int connection_connect(const char *path, double seconds, struct err *err);

/** Has the other side closed? Takes nothing from the socket. */
bool connection_closed(int sock);

#endif
