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
story_name(const struct trace_story *story, uint16_t port)
{
	return methods_port_name(story->vswitch, port);
}

static void
step_rx(json_t *steps, const struct trace_story *story)
{
	char to[MAC_TEXT_MAX], from[MAC_TEXT_MAX];

	if (story->len < FRAME_ETH_LEN) {
		step_add(steps, "rx", "%u bytes from %s", story->len, story->port->config.name);
		return;
	}
	step_add(steps, "rx", "%u bytes from %s: %s > %s, type 0x%04x", story->len,
		story->port->config.name, mac_format(mac_load(story->bytes + MAC_BYTES), from),
		mac_format(mac_load(story->bytes), to), frame_be16(story->bytes + FRAME_MACS_LEN));
}

static bool
story_is_sticky(const struct trace_story *story, uint16_t port)
{
	return port < PORT_MAX && story->vswitch->by_id[port] != NULL &&
	       learn_config(&story->vswitch->by_id[port]->config)->sticky;
}

static void
step_source(json_t *steps, const struct trace_story *story)
{
	uint64_t mac = mac_load(story->bytes + MAC_BYTES);
	const struct trace *trace = story->trace;
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (trace->source_port != story->port->id)
		step_add(steps, "learn", "%s stays at %s: the uplink reflects its frame", text,
			story_name(story, trace->source_port));
	else if (!learn_config(&story->port->config)->learn)
		step_add(steps, "learn", "nothing: learn=off");
	else if (!fdb_get(story->vswitch->fdb, mac, trace->vlan, &entry))
		step_add(steps, "learn", "%s is new; it would be learnt here", text);
	else if (entry.port == story->port->id)
		step_add(steps, "learn", "%s is known here", text);
	else
		step_add(steps, "learn", "%s is known at %s, and %s", text,
			story_name(story, entry.port),
			entry.is_static                      ? "stays there: it is static"
			: story_is_sticky(story, entry.port) ? "stays there: the port is sticky"
							     : "would move here");
}

static void
step_entry(json_t *steps, const struct trace_story *story, uint64_t mac)
{
	struct fdb_entry entry;
	char text[MAC_TEXT_MAX];

	mac_format(mac, text);
	if (!fdb_get(story->vswitch->fdb, mac, story->trace->vlan, &entry))
		step_add(steps, "lookup", "%s is unknown in VLAN %u", text, story->trace->vlan);
	else if (entry.is_static)
		step_add(steps, "lookup", "%s is at %s, a static entry", text,
			story_name(story, entry.port));
	else
		step_add(steps, "lookup", "%s is at %s, seen %u s ago", text,
			story_name(story, entry.port), entry.age);
}

/** Add the step that found the destination. */
static void
step_lookup(json_t *steps, const struct trace_story *story)
{
	uint64_t mac = mac_load(story->bytes);

	if (mac == MAC_MASK) {
		step_add(steps, "lookup", "flooded: broadcast");
	} else if (mac_is_group(mac)) {
		step_add(steps, "lookup", "flooded: multicast");
	} else {
		step_entry(steps, story, mac);
		struct fdb_entry entry;
		if (story->trace->dest < PORT_MAX &&
			fdb_get(story->vswitch->fdb, mac, story->trace->vlan, &entry) &&
			entry.port != story->trace->dest)
			step_add(steps, "policy", "%s is reached through %s",
				story_name(story, entry.port),
				story_name(story, story->trace->dest));
	}
}

static void
step_exit(json_t *steps, const struct trace_story *story, const struct trace_exit *exit)
{
	const char *name = story_name(story, exit->port);
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
story_ends_at_ingress(const struct trace_story *story)
{
	switch (story->trace->dest - DEST_DROP) {
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

/** feature_trace.say: add a step to the array. */
static void
step_say(void *steps, const char *step, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	step_add_args(steps, step, format, args);
	va_end(args);
}

/** Add the steps of a frame whose VLAN and destination are looked up. */
static void
step_way(json_t *steps, const struct trace_story *story)
{
	const struct feature_trace view = {
		.ports = story->vswitch->by_id,
		.port = story->port,
		.bytes = story->bytes,
		.trace = story->trace,
		.say = step_say,
		.arg = steps,
	};

	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_ingress != NULL && features[f]->trace_ingress(&view))
			return;
	step_source(steps, story);
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->trace_target != NULL && features[f]->trace_target(&view))
			return;
	step_lookup(steps, story);
}

json_t *
trace_steps(const struct trace_story *story)
{
	uint16_t dest = story->trace->dest;
	json_t *steps = json_array();

	step_rx(steps, story);
	if (!story_ends_at_ingress(story))
		step_way(steps, story);
	if (dest >= DEST_DROP && dest < DEST_FORWARD)
		step_add(steps, "drop", "%s: %s", drop_word((enum drop_reason)(dest - DEST_DROP)),
			drop_meaning((enum drop_reason)(dest - DEST_DROP)));
	for (unsigned i = 0; i < story->trace->exits; i++)
		step_exit(steps, story, &story->trace->exit[i]);
	return steps;
}
