/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources: drops frames with a source address that the rx port may not use. */
#include <errno.h>
#include <string.h>

#include "datapath/feature.h"
#include "features/sources/keys.h"
#include "features/sources/macs.h"

/** Drop the header runs whose source address is not permitted. */
static void
sources_stage(struct burst_context *context, const void *state)
{
	struct header_runs *runs = &context->classify.runs;

	for (unsigned i = 0; i < runs->n; i++) {
		if (runs->dest[i] < DEST_FORWARD)
			continue;
		uint64_t source = mac_load(runs->frame[i]->head + MAC_BYTES);
		/* classify_addresses() drops group and zero addresses, with a reason of its own. */
		if (mac_is_source(source) && !macs_has(state, source))
			runs->dest[i] = DEST_DROP + DROP_SOURCE;
	}
}

static int
sources_check(const struct port_config *config, struct err *err)
{
	struct macs macs;
	int rc = macs_parse(sources_config(config)->macs, &macs, err);

	if (rc < 0)
		err_prefix(err, "macs");
	return rc;
}

static int
sources_compile(const struct feature_input *input, struct feature_stages *stages)
{
	const struct sources_config *config = sources_config(&input->port->config);

	if (config->macs[0] == '\0')
		return 0;
	stages->state = macs_create(config->macs);
	if (stages->state == NULL)
		return -ENOMEM;
	stages->by_source = true;
	stages->ingress[INGRESS_HEADERS].run = sources_stage;
	return 0;
}

static bool
sources_needs_flush(const struct port_config *old, const struct port_config *changed)
{
	return strcmp(sources_config(old)->macs, sources_config(changed)->macs) != 0;
}

const struct feature sources_feature = {
	.name = "sources",
	.check = sources_check,
	.compile = sources_compile,
	.needs_flush = sources_needs_flush,
};
