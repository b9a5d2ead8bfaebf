/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLANs of a port: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_VLAN_KEYS_H
#define SHUNT_FEATURES_VLAN_KEYS_H

#include "port/keys.h"

enum { VLAN_TRUNK_MAX = 256 }; /* bytes of the list */

/** TPID of a port's VLAN tags. */
enum vlan_protocol { VLAN_8021Q, VLAN_8021AD };

/** The keys' values. */
struct vlan_config {
	int64_t vlan;               /**< access port of this VLAN; 0 = none */
	int64_t native;             /**< trunk: VLAN of untagged frames; 0 = none */
	int64_t protocol;           /**< enum vlan_protocol */
	char trunk[VLAN_TRUNK_MAX]; /**< VLANs of tagged frames; "" = no trunk */
};

extern const struct port_section vlan_section;

/** @return the values of a port */
static inline const struct vlan_config *
vlan_config(const struct port_config *config)
{
	return port_section_get(config, &vlan_section);
}

#endif
