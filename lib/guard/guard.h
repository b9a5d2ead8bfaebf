/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protection against spoofed frames of the guest behind a port: the source addresses that it may
 * use, and whether sender addresses in ARP and neighbour discovery are limited to them too.
 *
 * Thread safety: constant once set up.
 */
#ifndef SHUNT_GUARD_GUARD_H
#define SHUNT_GUARD_GUARD_H

#include "guard/macs.h"

/** The guard of a port. */
struct guard {
	struct macs macs;
	bool sources;    /**< the source address must be one of macs */
	bool neighbours; /**< so must addresses in ARP and neighbour discovery, neighbour.h */
};

/** Check the keys `macs` and `macs-arp`. @return 0; -EINVAL with the reason in err */
int guard_check(const struct port_config *config, struct err *err);

/** Set up the guard of a port from a configuration that passed guard_check(). */
void guard_of(const struct port_config *config, struct guard *guard);

#endif
