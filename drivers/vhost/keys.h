/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys of a vhost port. This header needs no DPDK.
 *
 * Thread safety: constant tables.
 */
#ifndef SHUNT_DRIVERS_VHOST_KEYS_H
#define SHUNT_DRIVERS_VHOST_KEYS_H

#include "port/keys.h"

enum {
	VHOST_PATH_MAX = 108, /**< sun_path of struct sockaddr_un */
	VHOST_OWNER_MAX = 80,
	VHOST_MTU_MIN = 68,
	VHOST_MTU_MAX = 65535,
};

enum vhost_mode { VHOST_SERVER, VHOST_CLIENT };

/** Code that moves frames. */
enum vhost_datapath {
	VHOST_DATAPATH_AUTO,    /**< lib/vring where it can, else librte_vhost */
	VHOST_DATAPATH_LIBRARY, /**< librte_vhost, for comparison and as a fallback */
};

/** Keys of a vhost port. */
struct vhost_config {
	char socket[VHOST_PATH_MAX];
	char owner[VHOST_OWNER_MAX]; /**< "user:group", empty = unchanged */
	int64_t perm;
	int64_t mode;     /**< enum vhost_mode */
	int64_t datapath; /**< enum vhost_datapath */
	int64_t queues;
	int64_t mtu; /**< 0 = not offered to the guest, any length passes */
	bool packed;
	bool tso;
	bool csum;
};

_Static_assert(sizeof(struct vhost_config) <= PORT_DRIVER_CONFIG_MAX, "fits into a port's keys");

extern const struct port_type vhost_type;

#endif
