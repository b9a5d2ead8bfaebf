/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Client mode: connects as soon as a front end listens.
 *
 * Thread safety: the control thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_RECONNECT_H
#define SHUNT_DRIVERS_VHOST_RECONNECT_H

/** rte_vhost_driver_register() in client mode; the first call creates threads. @return 0, -1 */
int vhost_reconnect_register(const char *path);

/**
 * Make the library connect as soon as a front end listens at a registered path. Further calls watch
 * its directory too if that was created, or created anew, meanwhile.
 */
void vhost_reconnect_add(const char *path);

/** Undo vhost_reconnect_add(). A path that is not watched is ignored. */
void vhost_reconnect_remove(const char *path);

#endif
