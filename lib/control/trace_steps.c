/* SPDX-License-Identifier: BSD-3-Clause */
/* Describe a traced frame in words, for `trace`. */
#include "control/trace_steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/methods.h"
#include "features/table.h"
#include "features/learn/keys.h"

static void
step_add_args(json_t *steps, const char *step, const char *format, va_list args)
{
	char why[512];

	vsnprintf(why, sizeof(why), format, args);
	json_array_append_new(steps, json_pack("{s:s, s:s}", "step", step, "why", why));
}

static void __attribute__((format(printf, 3, 4)))
step_add(json_t *steps, const char *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	step_add_args(steps, step, format, args);
	va_end(args);
}

static const char *
traced_port_name(const struct traced_frame *traced, uint16_t port)
{
	return methods_port_name(traced->vswitch, port);
}

static void
step_rx(json_t *steps, const struct traced_frame *traced)
{
	char to[MAC_TEXT_MAX], from[MAC_TEXT_MAX];

	if (traced->len < FRAME_ETH_LEN) {
		step_add(steps, "rx", "%u bytes from %s", traced->len, traced->port->config.name);
		return;
	}
	step_add(steps, "rx", "%u bytes from %s: %s > %s, type 0x%04x", traced->len,
		traced->port->config.name, mac_format(mac_load(traced->bytes + MAC_BYTES), from),
		mac_format(mac_load(traced->bytes), to),
		frame_be16(traced->bytes + FRAME_MACS_LEN));
}

static bool
traced_is_sticky(const struct traced_frame *traced, uint16_t port)
{
	return port < PORT_MAX && traced->vswitch->by_id[port] != NULL &&
	       learn_config(&traced->vswitch->by_id[port]->config)->sticky;
}

static void
step_source(json_t *steps, const struct traced_frame *traced)
{
	uint64_t mac = mac_load(traced->bytes + MAC_BYTES);
	const struct trace *trace = traced->trace;
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (trace->source_port != traced->port->id)
		step_add(steps, "learn", "%s stays at %s: the uplink reflects its frame", text,
			traced_port_name(traced, trace->source_port));
	else if (!learn_config(&traced->port->config)->learn)
		step_add(steps, "learn", "nothing: learn=off");
	else if (!fdb_get(traced->vswitch->fdb, mac, trace->vlan, &entry))
		step_add(steps, "learn", "%s is new; it would be learnt here", text);
	else if (entry.port == traced->port->id)
		step_add(steps, "learn", "%s is known here", text);
	else
		step_add(steps, "learn", "%s is known at %s, and %s", text,
			traced_port_name(traced, entry.port),
			entry.is_static                        ? "stays there: it is static"
			: traced_is_sticky(traced, entry.port) ? "stays there: the port is sticky"
							       : "would move here");
}

static void
step_entry(json_t *steps, const struct traced_frame *traced, uint64_t mac)
{
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (!fdb_get(traced->vswitch->fdb, mac, traced->trace->vlan, &entry))
		step_add(steps, "lookup", "%s is unknown in VLAN %u", text, traced->trace->vlan);
	else if (entry.is_static)
		step_add(steps, "lookup", "%s is at %s, a static entry", text,
			traced_port_name(traced, entry.port));
	else
		step_add(steps, "lookup", "%s is at %s, seen %u s ago", text,
			traced_port_name(traced, entry.port), entry.age);
}

/** Add the step that found the destination. */
static void
step_lookup(json_t *steps, const struct traced_frame *traced)
{
	uint64_t mac = mac_load(traced->bytes);

	if (mac == MAC_MASK) {
		step_add(steps, "lookup", "flooded: broadcast");
	} else if (mac_is_group(mac)) {
		step_add(steps, "lookup", "flooded: multicast");
	} else {
		step_entry(steps, traced, mac);
		struct fdb_entry entry;
		if (traced->trace->dest < PORT_MAX &&
			fdb_get(traced->vswitch->fdb, mac, traced->trace->vlan, &entry) &&
			entry.port != traced->trace->dest)
			step_add(steps, "policy", "%s is reached through %s",
				traced_port_name(traced, entry.port),
				traced_port_name(traced, traced->trace->dest));
	}
}

static void
step_exit(json_t *steps, const struct traced_frame *traced, const struct trace_exit *exit)
{
	const char *name = traced_port_name(traced, exit->port);
	uint16_t tpid = frame_be16(exit->head + FRAME_MACS_LEN);

	if (exit->drop >= 0)
		step_add(steps, "drop", "at %s: %s: %s", name,
			drop_word((enum drop_reason)exit->drop),
			drop_meaning((enum drop_reason)exit->drop));
	else if (tpid == VLAN_TPID_C || tpid == VLAN_TPID_S)
		step_add(steps, "tx", "leaves by %s, %u bytes, tagged %s VLAN %u priority %u", name,
			exit->len, tpid == VLAN_TPID_C ? "802.1Q" : "802.1ad",
			frame_be16(exit->head + FRAME_ETH_LEN) & VLAN_ID_MASK,
			exit->head[FRAME_ETH_LEN] >> 5);
	else
		step_add(steps, "tx", "leaves by %s, %u bytes, untagged", name, exit->len);
}

/** Whether the frame is dropped before its VLAN and destination are looked up. */
static bool
traced_ends_at_ingress(const struct traced_frame *traced)
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

/** feature_trace.explain: add a step to the array. */
static void
step_explain(void *steps, const char *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	step_add_args(steps, step, format, args);
	va_end(args);
}

/** Add the steps of a frame whose VLAN and destination are looked up. */
static void
step_way(json_t *steps, const struct traced_frame *traced)
{
	const struct feature_trace view = {
		.ports = traced->vswitch->by_id,
		.port = traced->port,
		.bytes = traced->bytes,
		.trace = traced->trace,
		.explain = step_explain,
		.arg = steps,
	};

	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_ingress != NULL && features[f]->trace_ingress(&view))
			return;
	step_source(steps, traced);
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_target != NULL && features[f]->trace_target(&view))
			return;
	step_lookup(steps, traced);
}

json_t *
trace_steps(const struct traced_frame *traced)
{
	uint16_t dest = traced->trace->dest;
	json_t *steps = json_array();

	step_rx(steps, traced);
	if (!traced_ends_at_ingress(traced))
		step_way(steps, traced);
	if (dest >= DEST_DROP && dest < DEST_FORWARD)
		step_add(steps, "drop", "%s: %s", drop_word((enum drop_reason)(dest - DEST_DROP)),
			drop_meaning((enum drop_reason)(dest - DEST_DROP)));
	for (unsigned i = 0; i < traced->trace->exits; i++)
		step_exit(steps, traced, &traced->trace->exit[i]);
	return steps;
}
