/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reserved group addresses 01:80:c2:00:00:00 to 0f (IEEE 802.1Q table 8-1), for protocols between
 * neighbouring bridges and stations, and the subset that a port forwards.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FEATURES_RESERVED_RESERVED_H
#define SHUNT_FEATURES_RESERVED_RESERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/port.h"

enum {
	RESERVED_COUNT = 16,
	/**
	 * Addresses that table 8-2 leaves to customer bridges, a bit for each last byte: 00, 0b,
	 * 0c, 0d and 0f. An S-VLAN component filters the others.
	 */
	RESERVED_BEYOND_8021AD = 0xb801,
};

/**
 * Get the reserved destination addresses that a port accepts in received frames, by its keys
 * `vlan-protocol` and `forward-reserved`.
 *
 * @param config has been checked
 * @return a bit for each last byte
 */
uint16_t reserved_of(const struct port_config *config);

#endif
