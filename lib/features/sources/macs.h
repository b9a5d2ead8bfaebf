/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source addresses that the guest behind a port may use.
 *
 * Thread safety: constant once parsed.
 */
#ifndef SHUNT_FEATURES_SOURCES_MACS_H
#define SHUNT_FEATURES_SOURCES_MACS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "features/sources/keys.h"

/** A list of addresses. */
struct macs {
	uint64_t mac[SOURCES_MAX];
	unsigned n; /**< number of addresses */
};

/**
 * Parse a list such as "02:00:00:00:00:01,02:00:00:00:00:02".
 *
 * @param list "" for none
 * @return 0; -EINVAL with the reason in err, and macs invalid: not an address, a group address or
 *         0, a duplicate, more than SOURCES_MAX
 */
int macs_parse(const char *list, struct macs *macs, struct err *err);

/**
 * Parse a list that has been checked into memory of its own.
 *
 * @param list as for macs_parse()
 * @return the addresses, to be freed with free(); NULL without memory
 */
struct macs *macs_create(const char *list);

/** Check whether an address is in a list. @param mac an address @return true if it is */
static inline bool
macs_has(const struct macs *macs, uint64_t mac)
{
	for (unsigned i = 0; i < macs->n; i++)
		if (macs->mac[i] == mac)
			return true;
	return false;
}

#endif
