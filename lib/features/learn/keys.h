/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Learning of source addresses: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_LEARN_KEYS_H
#define SHUNT_FEATURES_LEARN_KEYS_H

#include "port/keys.h"

/** The keys' values. */
struct learn_config {
	int64_t mac_limit; /**< dynamic FDB entries; 0 = no limit */
	bool learn;        /**< learn source addresses */
	bool sticky;       /**< addresses learned at the port do not move to other ports */
};

extern const struct port_section learn_section;

/** @return the values of a port */
static inline const struct learn_config *
learn_config(const struct port_config *config)
{
	return port_section_get(config, &learn_section);
}

#endif
