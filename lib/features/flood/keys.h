/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floods that a port receives: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_FLOOD_KEYS_H
#define SHUNT_FEATURES_FLOOD_KEYS_H

#include "port/keys.h"

/** The keys' values. */
struct flood_config {
	bool flood;       /**< send unknown unicast to the port */
	bool mcast_flood; /**< send multicast to the port */
};

extern const struct port_section flood_section;

/** @return the values of a port */
static inline const struct flood_config *
flood_config(const struct port_config *config)
{
	return port_section_get(config, &flood_section);
}

#endif
