/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost driver: a VM's virtqueues behind a vhost-user socket (virtio 1.2 section 5.1, QEMU's
 * vhost-user protocol). librte_vhost handles the protocol; frames are moved by lib/vring (direct)
 * or by the library's bursts.
 *
 * Thread safety: see struct port_driver.
 */
#ifndef SHUNT_DRIVERS_VHOST_H
#define SHUNT_DRIVERS_VHOST_H

#include "port/port.h"

extern const struct port_driver vhost_driver;

#endif
