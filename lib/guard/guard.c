/* SPDX-License-Identifier: BSD-3-Clause */
/* Protection of a port's neighbours, from its keys. */
#include "guard/guard.h"

#include <errno.h>

int
guard_check(const struct port_config *config, struct err *err)
{
	struct macs macs;
	int rc = macs_parse(config->macs, &macs, err);

	if (rc < 0) {
		err_prefix(err, "macs");
		return rc;
	}
	if (config->macs_arp && macs.n == 0)
		return err_set(err, EINVAL,
			"macs-arp: needs macs, the addresses that ARP and neighbour discovery may "
			"announce");
	return 0;
}

void
guard_of(const struct port_config *config, struct guard *guard)
{
	macs_parse(config->macs, &guard->macs, NULL);
	guard->sources = guard->macs.n > 0;
	guard->neighbours = config->macs_arp;
}
