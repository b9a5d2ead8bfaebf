/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sender addresses in ARP and neighbour discovery: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_NEIGHBOURS_KEYS_H
#define SHUNT_FEATURES_NEIGHBOURS_KEYS_H

#include "port/keys.h"

/** The keys' values. */
struct neighbours_config {
	bool macs_arp; /**< sender addresses of ARP and ND are limited to `macs` */
};

extern const struct port_section neighbours_section;

/** @return the values of a port */
static inline const struct neighbours_config *
neighbours_config(const struct port_config *config)
{
	return port_section_get(config, &neighbours_section);
}

#endif
