/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rate of frames to a port: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_SHAPE_KEYS_H
#define SHUNT_FEATURES_SHAPE_KEYS_H

#include "port/keys.h"

/** The keys' values. */
struct shape_config {
	int64_t rate_out;  /**< bits per second to the port; 0 = no limit */
	int64_t burst_out; /**< bytes; 0 = derived from rate_out */
	int64_t queue_out; /**< packet buffers for frames that wait for rate_out */
};

extern const struct port_section shape_section;

/** @return the values of a port */
static inline const struct shape_config *
shape_config(const struct port_config *config)
{
	return port_section_get(config, &shape_section);
}

#endif
