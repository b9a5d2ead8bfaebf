/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vhost ports by the paths of their sockets. Librte_vhost identifies a device by a small number,
 * the vid, which it reuses at once; the path of its socket leads to the port.
 *
 * Thread safety: any thread but polling lcores.
 */
#ifndef SHUNT_DRIVERS_VHOST_REGISTRY_H
#define SHUNT_DRIVERS_VHOST_REGISTRY_H

#include "base/err.h"

struct vhost_dev;

/** @return the port of a vid's socket; NULL if there is none */
struct vhost_dev *vhost_registry_find(int vid);

/** Add a port. @return 0; -EADDRINUSE with the reason: the socket belongs to another port */
int vhost_registry_add(struct vhost_dev *dev, struct err *err);

/** Remove a port, if it was added. */
void vhost_registry_remove(struct vhost_dev *dev);

#endif
