/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unix socket between front end and back end. Either side may listen.
 *
 * Thread safety: a connection belongs to one thread at a time.
 */
#ifndef SHUNT_VM_CONNECTION_H
#define SHUNT_VM_CONNECTION_H

#include <stdbool.h>

#include "base/err.h"

/** Listen on a path; a stale socket without a listener is replaced. @return fd, -errno */
int connection_listen(const char *path, struct err *err);

/** Wait for a back end to connect. @return fd, -errno */
int connection_accept(int listener, double seconds, struct err *err);

/** Connect; retry until a back end listens or the timeout is over. @return fd, -errno */
int connection_connect(const char *path, double seconds, struct err *err);

/** @return true if the back end has closed the connection; reads nothing from the socket */
bool connection_closed(int sock);

#endif
