/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source addresses that the guest behind a port may use: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_SOURCES_KEYS_H
#define SHUNT_FEATURES_SOURCES_KEYS_H

#include "port/keys.h"

enum {
	SOURCES_MAX = 32,                /**< addresses */
	SOURCES_TEXT = SOURCES_MAX * 18, /**< bytes of the list */
};

/** The keys' values. */
struct sources_config {
	char macs[SOURCES_TEXT]; /**< permitted source addresses; "" = any */
};

extern const struct port_section sources_section;

/** @return the values of a port */
static inline const struct sources_config *
sources_config(const struct port_config *config)
{
	return port_section_get(config, &sources_section);
}

#endif
