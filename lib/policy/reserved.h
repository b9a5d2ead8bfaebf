/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The group addresses 01:80:c2:00:00:00 to 0f, which IEEE 802.1Q reserves for protocols between
 * neighbouring bridges and stations (table 8-1), and those of them that a port lets pass.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_POLICY_RESERVED_H
#define SHUNT_POLICY_RESERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "port/port.h"

enum {
	RESERVED_COUNT = 16,
	/**
	 * Last bytes of the addresses that table 8-2 leaves to customers' bridges, a bit for each:
	 * 00, 0b, 0c, 0d and 0f. An S-VLAN component filters the others.
	 */
	RESERVED_BEYOND_8021AD = 0xb801,
};

/** Is this one of them? */
static inline bool
reserved_has(uint16_t set, uint64_t mac)
{
	return set >> (mac >> 40 & (RESERVED_COUNT - 1)) & 1;
}

/** Is the key `forward-reserved` a list of such addresses? @return 0; -EINVAL with the reason */
int reserved_check(const struct port_config *config, struct err *err);

/**
 * The addresses that frames from a port may have as destination, by its keys `vlan-protocol` and
 * `forward-reserved`.
 *
 * @param config has passed reserved_check()
 * @return a bit for each last byte
 */
uint16_t reserved_of(const struct port_config *config);

#endif
