/* SPDX-License-Identifier: BSD-3-Clause */
/* Learning: enables or disables the learning of source addresses at a port. */
#include "datapath/feature.h"
#include "features/learn/keys.h"

static int
learn_compile(const struct feature_input *input, struct feature_stages *stages)
{
	stages->no_learning = !learn_config(&input->port->config)->learn;
	return 0;
}

static bool
learn_needs_flush(const struct port_config *old, const struct port_config *changed)
{
	return learn_config(old)->learn && !learn_config(changed)->learn;
}

const struct feature learn_feature = {
	.name = "learn",
	.compile = learn_compile,
	.needs_flush = learn_needs_flush,
};
