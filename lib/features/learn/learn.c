/* SPDX-License-Identifier: BSD-3-Clause */
/* Learning: whether source addresses are learned at a port, how many, and whether they may move. */
#include "base/mac.h"
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

static void
learn_apply(const struct port *port, struct fdb *fdb)
{
	const struct learn_config *config = learn_config(&port->config);

	fdb_set_limit(fdb, port->id, (uint32_t)config->mac_limit);
	fdb_set_sticky(fdb, port->id, config->sticky);
}

/** Explain why an entry at another port stays there or moves. */
static const char *
learn_explain_move(const struct feature_trace *traced, const struct fdb_entry *entry)
{
	const struct port *port = entry->port < PORT_MAX ? traced->ports[entry->port] : NULL;

	if (entry->is_static)
		return "stays there: it is static";
	if (port != NULL && learn_config(&port->config)->sticky)
		return "stays there: the port is sticky";
	return "would move here";
}

static void
learn_trace_source(const struct feature_trace *traced)
{
	uint64_t mac = mac_load(traced->bytes + MAC_BYTES);
	uint16_t source = traced->trace->source_port;
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (source != traced->port->id)
		traced->explain(traced->arg, "learn",
			"%s stays at %s: the uplink reflects its frame", text,
			feature_port_name(traced->ports, source));
	else if (!learn_config(&traced->port->config)->learn)
		traced->explain(traced->arg, "learn", "nothing: learn=off");
	else if (!fdb_get(traced->fdb, mac, traced->trace->vlan, &entry))
		traced->explain(traced->arg, "learn", "%s is new; it would be learnt here", text);
	else if (entry.port == source)
		traced->explain(traced->arg, "learn", "%s is known here", text);
	else
		traced->explain(traced->arg, "learn", "%s is known at %s, and %s", text,
			feature_port_name(traced->ports, entry.port),
			learn_explain_move(traced, &entry));
}

const struct feature learn_feature = {
	.name = "learn",
	.compile = learn_compile,
	.needs_flush = learn_needs_flush,
	.apply = learn_apply,
	.trace_source = learn_trace_source,
};
