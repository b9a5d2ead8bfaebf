/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protection of others from who is behind a port: which sources it may send from, and whether what
 * it says in ARP and neighbour discovery must be true.
 *
 * Thread safety: constant once set up.
 */
#ifndef SHUNT_GUARD_GUARD_H
#define SHUNT_GUARD_GUARD_H

#include "guard/macs.h"

struct guard {
	struct macs macs;
	bool sources;    /**< frames come from one of macs */
	bool neighbours; /**< and say so where neighbours learn it, neighbour.h */
};

/** Do the keys `macs` and `macs-arp` fit together? @return 0; -EINVAL with the reason */
int guard_check(const struct port_config *config, struct err *err);

/** What a port whose configuration passed guard_check() asks for. */
void guard_of(const struct port_config *config, struct guard *guard);

#endif
