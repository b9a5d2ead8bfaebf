/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding policy between ports: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_POLICY_KEYS_H
#define SHUNT_FEATURES_POLICY_KEYS_H

#include "port/keys.h"

/** Ports that a port may reach, as the modes of Linux macvlan of the same names. */
enum policy_mode {
	POLICY_BRIDGE,   /**< other ports by the FDB (VEB) */
	POLICY_VEPA,     /**< all via the uplink, which reflects frames to other ports here */
	POLICY_PRIVATE,  /**< the uplink only */
	POLICY_PASSTHRU, /**< the uplink, which serves no other port */
};

/** The keys' values. */
struct policy_config {
	int64_t policy;             /**< enum policy_mode */
	char uplink[PORT_NAME_MAX]; /**< the uplink of the policy; "" = none */
	bool isolated;              /**< no frames to or from other isolated ports */
};

extern const struct port_section policy_section;

/** @return the values of a port */
static inline const struct policy_config *
policy_config(const struct port_config *config)
{
	return port_section_get(config, &policy_section);
}

#endif
