/* SPDX-License-Identifier: BSD-3-Clause */
/* Describe a traced frame in words, for `trace`. */
#include "control/trace_steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/methods.h"
#include "policy/reserved.h"

static void __attribute__((format(printf, 3, 4)))
step_add(json_t *steps, const char *step, const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	json_array_append_new(steps, json_pack("{s:s, s:s}", "step", step, "why", why));
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

static void
step_vlan(json_t *steps, const struct trace_story *story)
{
	const struct port_config *config = &story->port->config;
	uint16_t vlan = story->trace->vlan;

	if (config->vlan != 0)
		step_add(steps, "vlan", "VLAN %u: %s is an access port of it", vlan, config->name);
	else if (config->trunk[0] == '\0')
		step_add(steps, "vlan", "VLAN %u: %s, and %s carries all VLANs", vlan,
			vlan == VLAN_NONE ? "untagged or priority-tagged" : "by its tag",
			config->name);
	else
		step_add(steps, "vlan", "VLAN %u: %s, and %s is a trunk of %s%s", vlan,
			vlan == config->native ? "native" : "by its tag", config->name,
			config->trunk, config->native != 0 ? " with a native VLAN" : "");
}

static bool
story_is_sticky(const struct trace_story *story, uint16_t port)
{
	return port < PORT_MAX && story->vswitch->by_id[port] != NULL &&
	       story->vswitch->by_id[port]->config.sticky;
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
	else if (!story->port->config.learn)
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

/** Whether the frame is multicast that snooping restricts to members of its group. */
static bool
story_is_for_members(const struct trace_story *story)
{
	uint16_t dest = story->trace->dest;

	return dest == DEST_DROP + DROP_NO_MEMBER || (dest >= DEST_GROUP && dest < DEST_DROP);
}

/** Whether a reserved address passes by the key forward-reserved, not as 802.1ad allows. */
static bool
story_names_reserved(const struct trace_story *story)
{
	return story->port->config.vlan_protocol != PORT_VLAN_8021AD ||
	       !reserved_has(RESERVED_BEYOND_8021AD, mac_load(story->bytes));
}

/** Add the step that found the destination. */
static void
step_lookup(json_t *steps, const struct trace_story *story)
{
	const struct rules *rules = story->rules;
	uint64_t mac = mac_load(story->bytes);

	if (rules != NULL && rules->fixed != PORT_NONE) {
		bool owned = rules->policy.mode == PORT_BRIDGE;
		step_add(steps, "policy", "all frames go to %s: %s",
			story_name(story, rules->fixed),
			owned ? "its policy is passthru"
			      : "the uplink, for every destination address");
	} else if (mac == MAC_MASK) {
		step_add(steps, "lookup", "flooded: broadcast");
	} else if (mac_is_reserved(mac)) {
		step_add(steps, "lookup", "flooded: a reserved address that %s",
			story_names_reserved(story) ? "forward-reserved names"
						    : "802.1ad ports forward");
	} else if (mac_is_group(mac) && story_is_for_members(story)) {
		step_add(steps, "lookup", "to members of the group and routers: snooping");
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

/** Add the step of a frame whose VLAN the source port does not carry. */
static void
step_foreign(json_t *steps, const struct trace_story *story)
{
	const struct port_config *config = &story->port->config;

	if (config->vlan != 0)
		step_add(steps, "vlan", "VLAN %u by its tag, and %s is an access port of VLAN %u",
			story->trace->vlan, config->name, (unsigned)config->vlan);
	else if (story->trace->vlan == VLAN_NONE)
		step_add(steps, "vlan", "no VLAN, and %s is a trunk without a native one",
			config->name);
	else
		step_add(steps, "vlan", "VLAN %u by its tag, and %s is a trunk of %s",
			story->trace->vlan, config->name, config->trunk);
}

/** Whether the frame is dropped because its source port does not carry its VLAN. */
static bool
story_is_foreign(const struct trace_story *story)
{
	const struct rules *rules = story->rules;
	uint16_t vlan = story->trace->vlan;

	if (story->trace->dest != DEST_DROP + DROP_VLAN || rules == NULL)
		return false;
	return !vlan_carries(&rules->vlan, vlan) || (rules->vlan.access && story->trace->tagged) ||
	       (rules->vlan.filters && vlan == VLAN_NONE);
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

json_t *
trace_steps(const struct trace_story *story)
{
	uint16_t dest = story->trace->dest;
	json_t *steps = json_array();

	step_rx(steps, story);
	if (story_is_foreign(story)) {
		step_foreign(steps, story);
	} else if (!story_ends_at_ingress(story)) {
		step_vlan(steps, story);
		step_source(steps, story);
		step_lookup(steps, story);
	}
	if (dest >= DEST_DROP && dest < DEST_FORWARD)
		step_add(steps, "drop", "%s: %s", drop_word((enum drop_reason)(dest - DEST_DROP)),
			drop_meaning((enum drop_reason)(dest - DEST_DROP)));
	for (unsigned i = 0; i < story->trace->exits; i++)
		step_exit(steps, story, &story->trace->exit[i]);
	return steps;
}
