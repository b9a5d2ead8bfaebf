/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of front ends: callbacks of librte_vhost.
 *
 * Thread safety: control opens and closes; callbacks run on the library's event thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_CONNECTION_H
#define SHUNT_DRIVERS_VHOST_CONNECTION_H

#include "base/err.h"

struct vhost_dev;

/** Make the library serve dev->config.socket. Control thread. @return 0 or negative errno */
int vhost_connection_open(struct vhost_dev *dev, struct err *err);

/**
 * Disconnect the front end and unregister the socket. Control thread, once no polling lcore uses
 * the port.
 */
void vhost_connection_close(struct vhost_dev *dev);

#endif
