/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arguments of QEMU and elements of libvirt that connect a guest to a vhost port.
 *
 * Thread safety: any thread; pure functions.
 */
#ifndef SHUNT_DRIVERS_VHOST_FRONTEND_H
#define SHUNT_DRIVERS_VHOST_FRONTEND_H

#include <stdbool.h>

#include "port/port.h"

/** @return true if XML and a terminal take the path: no control characters, U+FFFE or U+FFFF */
bool vhost_frontend_path_valid(const char *path);

/** The frontend slot of struct port_driver. */
void vhost_frontend(const struct port *port, struct port_frontend *frontend);

#endif
