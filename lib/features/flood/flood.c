/* SPDX-License-Identifier: BSD-3-Clause */
/* Floods: a port takes or refuses unknown unicast and multicast. */
#include "datapath/feature.h"
#include "features/flood/keys.h"

static int
flood_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct flood_config *config = flood_config(&input->port->config);

	stages->refuses[FLOOD_UNKNOWN] = !config->flood;
	stages->refuses[FLOOD_MULTICAST] = !config->mcast_flood;
	return 0;
}

const struct feature flood_feature = {.name = "flood", .compile = flood_compile};
