/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reserved group addresses that a port forwards: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_RESERVED_KEYS_H
#define SHUNT_FEATURES_RESERVED_KEYS_H

#include "port/keys.h"

enum { RESERVED_TEXT = 96 }; /* bytes of the list */

/** The keys' values. */
struct reserved_config {
	char forward[RESERVED_TEXT]; /**< reserved addresses that pass; "" = none */
};

extern const struct port_section reserved_section;

/** @return the values of a port */
static inline const struct reserved_config *
reserved_config(const struct port_config *config)
{
	return port_section_get(config, &reserved_section);
}

#endif
