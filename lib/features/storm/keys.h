/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Storm control: the rate of flooded frames from a port: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_STORM_KEYS_H
#define SHUNT_FEATURES_STORM_KEYS_H

#include "port/keys.h"

enum { STORM_PPS_MAX = 100000000 }; /* frames per second */

/** The keys' values. */
struct storm_config {
	int64_t storm; /**< flooded frames per second; 0 = no limit */
};

extern const struct port_section storm_section;

/** @return the values of a port */
static inline const struct storm_config *
storm_config(const struct port_config *config)
{
	return port_section_get(config, &storm_section);
}

#endif
