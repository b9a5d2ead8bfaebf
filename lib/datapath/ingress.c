/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/ingress.h"

#include <string.h>

#include <rte_cycles.h>

#include "base/mac.h"
#include "datapath/leaders.h"
#include "guard/neighbour.h"
#include "policy/reserved.h"

/** A burst on its way through the rules of the port it came from. */
struct ingress {
	const struct snapshot *snapshot;
	const struct rules *rules;
	struct leaders leaders;
	bool sources;                 /**< they matter */
	uint16_t origin[FRAME_BURST]; /**< of each leader: the port, or the member it reflects */
	uint32_t
		liars; /**< a bit for each frame: it speaks for another, though its leader passed */
};

static inline uint16_t
ingress_frame(const struct rules *rules, struct frame *frame)
{
	if (frame->head_len < FRAME_ETH_LEN)
		return DEST_DROP + DROP_RUNT;
	int reason = vlan_ingress(&rules->vlan, frame);
	if (reason >= 0)
		return (uint16_t)(DEST_DROP + reason);
	uint64_t source = mac_load(frame->head + MAC_BYTES);
	if (!mac_is_source(source))
		return DEST_DROP + DROP_BAD_SOURCE;
	if (rules->guard.sources && !macs_has(&rules->guard.macs, source))
		return DEST_DROP + DROP_SOURCE;
	uint64_t mac = mac_load(frame->head);
	if (!mac_is_group(mac))
		return DEST_LOOKUP;
	if (mac_is_reserved(mac) && !reserved_has(rules->reserved, mac))
		return DEST_DROP + DROP_RESERVED;
	return mac == MAC_MASK ? DEST_BROADCAST : DEST_MULTICAST;
}

static void
ingress_leaders(struct ingress *ingress, struct burst *burst)
{
	struct leaders *leaders = &ingress->leaders;
	const struct frame *last = NULL, *leader = NULL;

	leaders->n = 0;
	for (unsigned i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frame[i];
		if (last != NULL && leaders_same(frame, last, ingress->sources)) {
			frame->l2_len = leader->l2_len;
			frame->vlan = leader->vlan;
			frame->tag_len = leader->tag_len;
		} else {
			ingress->origin[leaders->n] = burst->port;
			leaders->dest[leaders->n] = ingress_frame(ingress->rules, frame);
			leaders->frame[leaders->n++] = leader = frame;
		}
		leaders->of[i] = (uint8_t)(leaders->n - 1);
		last = frame;
	}
}

/**
 * Frames led by one differ in what they say to neighbours: each is looked at. A leader of liars
 * alone is dropped, and hence not learnt from.
 */
static void
ingress_neighbours(struct ingress *ingress, const struct burst *burst)
{
	const struct macs *macs = &ingress->rules->guard.macs;
	struct leaders *leaders = &ingress->leaders;
	uint32_t honest = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		unsigned leader = leaders->of[i];
		if (leaders->dest[leader] < DEST_FORWARD)
			continue;
		if (neighbour_is_true(&burst->frame[i], macs))
			honest |= UINT32_C(1) << leader;
		else
			ingress->liars |= UINT32_C(1) << i;
	}
	for (unsigned i = 0; i < leaders->n; i++)
		if (leaders->dest[i] >= DEST_FORWARD && (honest >> i & 1) == 0)
			leaders->dest[i] = DEST_DROP + DROP_NEIGHBOUR;
}

/** What a member sent and the uplink brings back is known by its source. */
static void
ingress_reflections(struct ingress *ingress, const struct fdb *fdb)
{
	struct leaders *leaders = &ingress->leaders;
	uint16_t self = ingress->rules->policy.port;
	struct asked sources;

	leaders_sources(fdb, leaders, &sources);
	fdb_query_look(fdb, &sources.query);
	fdb_lookup_burst(fdb, &sources.query);
	for (unsigned i = 0; i < leaders->n; i++) {
		uint16_t port = asked_port(&sources, i);
		const struct rules *source =
			port < PORT_MAX ? ingress->snapshot->rules[port] : NULL;
		if (source != NULL && source->policy.uplink == self)
			ingress->origin[i] = port;
	}
}

/** Sources, but not of what is reflected: these stay where they are. */
static unsigned
ingress_learn(const struct ingress *ingress, struct fdb *fdb, struct asked *targets)
{
	uint16_t self = ingress->rules->policy.port;
	struct asked sources;

	sources.query.n = 0;
	for (unsigned i = 0; i < ingress->leaders.n; i++)
		if (ingress->origin[i] == self)
			asked_source(fdb, &sources, &ingress->leaders, i);
	return leaders_learn(fdb, &sources, self, targets);
}

/** Where a frame for one port really goes. */
static uint16_t
ingress_resolve(
	const struct ingress *ingress, const struct frame *frame, uint16_t dest, uint16_t origin)
{
	const struct rules *rules = ingress->rules;
	const struct rules *target = ingress->snapshot->rules[dest];

	if (dest == rules->policy.port || dest == origin)
		return DEST_DROP + DROP_SAME_PORT;
	if (target == NULL)
		return dest;
	if (!rules_reach(rules, dest)) {
		dest = policy_detour(&rules->policy, &target->policy);
		if (dest >= PORT_MAX || ingress->snapshot->rules[dest] == NULL)
			return DEST_DROP + DROP_POLICY;
		target = ingress->snapshot->rules[dest];
	}
	return vlan_carries(&target->vlan, frame->vlan) ? dest : DEST_DROP + DROP_VLAN;
}

static void
ingress_lookup(struct ingress *ingress, const struct fdb *fdb, struct asked *targets)
{
	struct leaders *leaders = &ingress->leaders;

	fdb_lookup_burst(fdb, &targets->query);
	for (unsigned i = 0; i < leaders->n; i++) {
		uint16_t port = asked_port(targets, i);

		if (!asked_is(targets, i))
			continue;
		leaders->dest[i] = port == FDB_MISS ? DEST_UNKNOWN
						    : ingress_resolve(ingress, leaders->frame[i],
							      port, ingress->origin[i]);
	}
}

/** Everything goes to one port: the uplink, or the member that owns it. */
static void
ingress_fixed(struct ingress *ingress)
{
	const struct rules *rules = ingress->rules;
	struct leaders *leaders = &ingress->leaders;
	const struct rules *target =
		rules->fixed < PORT_MAX ? ingress->snapshot->rules[rules->fixed] : NULL;

	for (unsigned i = 0; i < leaders->n; i++) {
		if (leaders->dest[i] < DEST_FORWARD)
			continue;
		if (target == NULL)
			leaders->dest[i] = DEST_DROP + DROP_NO_TARGET;
		else
			leaders->dest[i] = vlan_carries(&target->vlan, leaders->frame[i]->vlan)
						   ? rules->fixed
						   : DEST_DROP + DROP_VLAN;
	}
}

/** Frames to everybody beyond what the port may send: the last of a burst go. */
static void
ingress_storm(const struct rules *rules, struct burst *burst)
{
	uint8_t floods[FRAME_BURST];
	uint16_t n = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		floods[n] = (uint8_t)i;
		n += burst->dest[i] >= DEST_FLOODS;
	}
	if (n == 0)
		return;
	for (uint16_t i = storm_pass(rules->storm, &rules->storm_rate, rte_rdtsc(), n); i < n; i++)
		burst->dest[floods[i]] = DEST_DROP + DROP_STORM;
}

unsigned
ingress_burst(struct fdb *fdb, const struct snapshot *snapshot, struct burst *burst, bool live,
	bool learn)
{
	struct ingress ingress = {.snapshot = snapshot, .rules = snapshot->rules[burst->port]};
	struct asked targets;
	unsigned missed = 0;

	ingress.sources = learn || ingress.rules->guard.sources || ingress.rules->is_uplink;
	ingress_leaders(&ingress, burst);
	if (ingress.rules->guard.neighbours)
		ingress_neighbours(&ingress, burst);
	if (ingress.rules->fixed == PORT_NONE)
		leaders_targets(fdb, &ingress.leaders, &targets);
	else
		targets.query.n = 0;
	if (ingress.rules->is_uplink)
		ingress_reflections(&ingress, fdb);
	if (learn && ingress.rules->learn)
		missed = ingress_learn(&ingress, fdb, &targets);
	else
		fdb_query_look(fdb, &targets.query);
	if (ingress.rules->fixed != PORT_NONE)
		ingress_fixed(&ingress);
	else
		ingress_lookup(&ingress, fdb, &targets);
	leaders_follow(&ingress.leaders, burst);
	for (uint32_t rest = ingress.liars; rest != 0; rest &= rest - 1)
		burst->dest[__builtin_ctz(rest)] = DEST_DROP + DROP_NEIGHBOUR;
	if (live && ingress.rules->storm != NULL)
		ingress_storm(ingress.rules, burst);
	for (unsigned i = 0; i < burst->n; i++)
		burst->origin[i] = ingress.origin[ingress.leaders.of[i]];
	return missed;
}
