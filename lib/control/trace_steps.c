/* SPDX-License-Identifier: BSD-3-Clause */
/* Describe a traced frame in words, for `trace`. */
#include "control/trace_steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/methods.h"
#include "features/table.h"

/** feature_trace.explain: append a step. @param steps json_t array @param step its word */
static void __attribute__((format(printf, 3, 4)))
steps_add(void *steps, const char *step, const char *format, ...)
{
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	json_array_append_new(steps, json_pack("{s:s, s:s}", "step", step, "why", why));
}

/** @return name of a port */
static const char *
trace_port_name(const struct traced_frame *traced, uint16_t port)
{
	return methods_port_name(traced->vswitch, port);
}

/** Append the reception: length, source port, addresses and EtherType. */
static void
steps_add_rx(json_t *steps, const struct traced_frame *traced)
{
	char to[MAC_TEXT_MAX], from[MAC_TEXT_MAX];

	if (traced->len < FRAME_ETH_LEN) {
		steps_add(steps, "rx", "%u bytes from %s", traced->len, traced->port->config.name);
		return;
	}
	steps_add(steps, "rx", "%u bytes from %s: %s > %s, type 0x%04x", traced->len,
		traced->port->config.name, mac_format(mac_load(traced->bytes + MAC_BYTES), from),
		mac_format(mac_load(traced->bytes), to),
		frame_be16(traced->bytes + FRAME_MACS_LEN));
}

/** Append what the FDB has for a destination address. */
static void
steps_add_entry(json_t *steps, const struct traced_frame *traced, uint64_t mac)
{
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (!fdb_get(traced->vswitch->fdb, mac, traced->trace->vlan, &entry))
		steps_add(steps, "lookup", "%s is unknown in VLAN %u", text, traced->trace->vlan);
	else if (entry.is_static)
		steps_add(steps, "lookup", "%s is at %s, a static entry", text,
			trace_port_name(traced, entry.port));
	else
		steps_add(steps, "lookup", "%s is at %s, seen %u s ago", text,
			trace_port_name(traced, entry.port), entry.age);
}

/** Append how the destination was found. */
static void
steps_add_lookup(json_t *steps, const struct traced_frame *traced)
{
	uint64_t mac = mac_load(traced->bytes);

	if (mac == MAC_MASK) {
		steps_add(steps, "lookup", "flooded: broadcast");
	} else if (mac_is_group(mac)) {
		steps_add(steps, "lookup", "flooded: multicast");
	} else {
		steps_add_entry(steps, traced, mac);
		struct fdb_entry entry;
		if (traced->trace->dest < PORT_MAX &&
			fdb_get(traced->vswitch->fdb, mac, traced->trace->vlan, &entry) &&
			entry.port != traced->trace->dest)
			steps_add(steps, "policy", "%s is reached through %s",
				trace_port_name(traced, entry.port),
				trace_port_name(traced, traced->trace->dest));
	}
}

/** Append an egress port: the tag and length of the frame there, or the drop reason. */
static void
steps_add_exit(json_t *steps, const struct traced_frame *traced, const struct trace_exit *exit)
{
	const char *name = trace_port_name(traced, exit->port);
	uint16_t tpid = frame_be16(exit->head + FRAME_MACS_LEN);

	if (exit->drop >= 0)
		steps_add(steps, "drop", "at %s: %s: %s", name,
			drop_word((enum drop_reason)exit->drop),
			drop_meaning((enum drop_reason)exit->drop));
	else if (tpid == VLAN_TPID_C || tpid == VLAN_TPID_S)
		steps_add(steps, "tx", "leaves by %s, %u bytes, tagged %s VLAN %u priority %u",
			name, exit->len, tpid == VLAN_TPID_C ? "802.1Q" : "802.1ad",
			frame_be16(exit->head + FRAME_ETH_LEN) & VLAN_ID_MASK,
			exit->head[FRAME_ETH_LEN] >> 5);
	else
		steps_add(steps, "tx", "leaves by %s, %u bytes, untagged", name, exit->len);
}

/** Whether the frame is dropped before its VLAN and destination are looked up. */
static bool
trace_ends_at_ingress(const struct traced_frame *traced)
{
	switch (traced->trace->dest - DEST_DROP) {
	case DROP_RUNT:
	case DROP_BAD_TAG:
	case DROP_BAD_SOURCE:
	case DROP_RESERVED:
	case DROP_SOURCE:
	case DROP_NEIGHBOUR:
		return true;
	default:
		return false;
	}
}

/** Append the steps of features and lookup, up to the one that ends the frame. */
static void
steps_add_ingress(json_t *steps, const struct traced_frame *traced)
{
	const struct feature_trace view = {
		.ports = traced->vswitch->by_id,
		.port = traced->port,
		.bytes = traced->bytes,
		.trace = traced->trace,
		.fdb = traced->vswitch->fdb,
		.explain = steps_add,
		.arg = steps,
	};

	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_ingress != NULL && features[f]->trace_ingress(&view))
			return;
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_source != NULL)
			features[f]->trace_source(&view);
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_target != NULL && features[f]->trace_target(&view))
			return;
	steps_add_lookup(steps, traced);
}

json_t *
trace_steps(const struct traced_frame *traced)
{
	uint16_t dest = traced->trace->dest;
	json_t *steps = json_array();

	steps_add_rx(steps, traced);
	if (!trace_ends_at_ingress(traced))
		steps_add_ingress(steps, traced);
	if (dest >= DEST_DROP && dest < DEST_FORWARD)
		steps_add(steps, "drop", "%s: %s", drop_word((enum drop_reason)(dest - DEST_DROP)),
			drop_meaning((enum drop_reason)(dest - DEST_DROP)));
	for (unsigned i = 0; i < traced->trace->exits; i++)
		steps_add_exit(steps, traced, &traced->trace->exit[i]);
	return steps;
}
