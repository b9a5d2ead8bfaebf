/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of an ethdev port. This header needs no DPDK.
 *
 * Thread safety: constant tables.
 */
#ifndef SHUNT_DRIVERS_ETHDEV_KEYS_H
#define SHUNT_DRIVERS_ETHDEV_KEYS_H

#include "port/keys.h"

enum {
	ETHDEV_DEVICE_MAX = 512,
	ETHDEV_MTU_MIN = 68,
	ETHDEV_MTU_MAX = 65521,
};

/** Guests whose frames are sent zero-copy, where that is possible. */
enum ethdev_zero_copy {
	ETHDEV_ZERO_COPY_AUTO, /**< guests in huge pages, which they never give back */
	ETHDEV_ZERO_COPY_ON,   /**< all guests */
	ETHDEV_ZERO_COPY_OFF,  /**< none */
};

/** Keys of an ethdev port. */
struct ethdev_config {
	char device[ETHDEV_DEVICE_MAX]; /**< devargs */
	int64_t queues;
	int64_t mtu;       /**< 0 = the device's own */
	int64_t zero_copy; /**< enum ethdev_zero_copy */
};

_Static_assert(sizeof(struct ethdev_config) <= PORT_DRIVER_CONFIG_MAX, "fits into a port's keys");

extern const struct port_type ethdev_type;

#endif
