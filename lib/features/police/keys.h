/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rate of frames from a port: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_POLICE_KEYS_H
#define SHUNT_FEATURES_POLICE_KEYS_H

#include "port/keys.h"

/** The keys' values. */
struct police_config {
	int64_t rate_in;  /**< bits per second from the port; 0 = no limit */
	int64_t burst_in; /**< bytes; 0 = derived from rate_in */
};

extern const struct port_section police_section;

/** @return the values of a port */
static inline const struct police_config *
police_config(const struct port_config *config)
{
	return port_section_get(config, &police_section);
}

#endif
