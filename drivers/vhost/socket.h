/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The path of a listening socket: a stale socket, owner and mode.
 *
 * Thread safety: the control thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_SOCKET_H
#define SHUNT_DRIVERS_VHOST_SOCKET_H

#include "base/err.h"
#include "vhost/keys.h"

/**
 * Make a path free to listen at: remove a socket at which no process listens.
 *
 * @return 0; negative errno with the reason: not a socket, in use, or no such directory
 */
int vhost_socket_prepare(const char *path, struct err *err);

/** Set owner and mode of the socket as configured. @return 0; negative errno with the reason */
int vhost_socket_protect(const struct vhost_config *config, struct err *err);

#endif
