/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IGMP and MLD snooping at a port: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_SNOOPING_KEYS_H
#define SHUNT_FEATURES_SNOOPING_KEYS_H

#include "port/keys.h"
#include "snoop/router.h"

/** The keys' values. */
struct snooping_config {
	int64_t mcast_router; /**< enum snoop_router */
	bool fast_leave;      /**< one host behind the port, its leaves act at once */
};

extern const struct port_section snooping_section;

/** @return the values of a port */
static inline const struct snooping_config *
snooping_config(const struct port_config *config)
{
	return port_section_get(config, &snooping_section);
}

#endif
