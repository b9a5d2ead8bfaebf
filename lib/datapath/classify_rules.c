/* SPDX-License-Identifier: BSD-3-Clause */
/* The classify stage for ports with rules. */
#include "datapath/classify_rules.h"

#include <string.h>

#include <rte_cycles.h>

#include "base/mac.h"
#include "datapath/classify.h"
#include "datapath/header_runs.h"
#include "datapath/snapshot.h"
#include "guard/neighbour.h"
#include "policy/reserved.h"

/** A burst under classification by the rules of its rx port. */
struct classify_rules {
	const struct snapshot *snapshot;
	const struct rules *rules;
	struct header_runs runs;
	bool sources;                      /**< source addresses matter, and distinguish runs */
	uint16_t source_port[FRAME_BURST]; /**< per run: rx port, or the member it reflects */
	uint32_t spoofed; /**< a bit for each frame: spoofed, though its run may pass */
};

static inline uint16_t
classify_rules_frame(const struct rules *rules, struct frame *frame)
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
classify_rules_runs(struct classify_rules *work, struct burst *burst)
{
	struct header_runs *runs = &work->runs;
	const struct frame *last = NULL, *run = NULL;

	runs->n = 0;
	for (unsigned i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frame[i];
		bool dropped = burst->dest[i] < DEST_FORWARD;
		if (unlikely(dropped)) {
			work->source_port[runs->n] = burst->port;
			runs->dest[runs->n] = burst->dest[i];
			runs->frame[runs->n++] = frame;
		} else if (last != NULL && header_runs_same(frame, last, work->sources)) {
			frame->l2_len = run->l2_len;
			frame->vlan = run->vlan;
			frame->tag_len = run->tag_len;
		} else {
			work->source_port[runs->n] = burst->port;
			runs->dest[runs->n] = classify_rules_frame(work->rules, frame);
			runs->frame[runs->n++] = run = frame;
		}
		runs->of[i] = (uint8_t)(runs->n - 1);
		last = dropped ? NULL : frame;
	}
}

/**
 * Find spoofed frames. Frames of a run may differ in their ARP and ND payload, so that each is
 * checked. A run of spoofed frames only is dropped as a whole, and hence not learnt from.
 */
static void
classify_rules_neighbours(struct classify_rules *work, const struct burst *burst)
{
	const struct macs *macs = &work->rules->guard.macs;
	struct header_runs *runs = &work->runs;
	uint32_t honest = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		unsigned run = runs->of[i];
		if (runs->dest[run] < DEST_FORWARD)
			continue;
		if (neighbour_is_true(&burst->frame[i], macs))
			honest |= UINT32_C(1) << run;
		else
			work->spoofed |= UINT32_C(1) << i;
	}
	for (unsigned i = 0; i < runs->n; i++)
		if (runs->dest[i] >= DEST_FORWARD && (honest >> i & 1) == 0)
			runs->dest[i] = DEST_DROP + DROP_NEIGHBOUR;
}

/** Find reflected frames: the source address belongs to a member of this uplink. */
static void
classify_rules_reflections(struct classify_rules *work, const struct fdb *fdb)
{
	struct header_runs *runs = &work->runs;
	uint16_t self = work->rules->policy.port;
	struct fdb_batch sources;

	header_runs_sources(fdb, runs, &sources);
	fdb_query_look(fdb, &sources.query);
	fdb_lookup_burst(fdb, &sources.query);
	for (unsigned i = 0; i < runs->n; i++) {
		uint16_t port = fdb_batch_port(&sources, i);
		const struct rules *source = port < PORT_MAX ? work->snapshot->rules[port] : NULL;
		if (source != NULL && source->policy.uplink == self)
			work->source_port[i] = port;
	}
}

/** Learn sources, except of reflected frames: their addresses stay at the member. */
static unsigned
classify_rules_learn(const struct classify_rules *work, struct fdb *fdb, struct fdb_batch *targets)
{
	uint16_t self = work->rules->policy.port;
	struct fdb_batch sources;

	sources.query.n = 0;
	for (unsigned i = 0; i < work->runs.n; i++)
		if (work->source_port[i] == self)
			fdb_batch_add_source(fdb, &sources, &work->runs, i);
	return header_runs_learn(fdb, &sources, self, targets);
}

/** Apply the policies and VLANs of both ports to a frame whose destination is known. */
static uint16_t
classify_rules_resolve(const struct classify_rules *work, const struct frame *frame, uint16_t dest,
	uint16_t source_port)
{
	const struct rules *rules = work->rules;
	const struct rules *target = work->snapshot->rules[dest];

	if (dest == rules->policy.port || dest == source_port)
		return DEST_DROP + DROP_SAME_PORT;
	if (target == NULL)
		return dest;
	if (!rules_may_forward(rules, dest)) {
		dest = policy_via_uplink(&rules->policy, &target->policy);
		if (dest >= PORT_MAX || work->snapshot->rules[dest] == NULL)
			return DEST_DROP + DROP_POLICY;
		target = work->snapshot->rules[dest];
	}
	return vlan_carries(&target->vlan, frame->vlan) ? dest : DEST_DROP + DROP_VLAN;
}

static void
classify_rules_lookup(struct classify_rules *work, const struct fdb *fdb, struct fdb_batch *targets)
{
	struct header_runs *runs = &work->runs;

	fdb_lookup_burst(fdb, &targets->query);
	for (unsigned i = 0; i < runs->n; i++) {
		uint16_t port = fdb_batch_port(targets, i);

		if (!fdb_batch_has(targets, i))
			continue;
		runs->dest[i] = port == FDB_MISS ? DEST_UNKNOWN
						 : classify_rules_resolve(work, runs->frame[i],
							   port, work->source_port[i]);
	}
}

/** Send all frames to the fixed destination: the uplink, or its passthru member. */
static void
classify_rules_fixed(struct classify_rules *work)
{
	const struct rules *rules = work->rules;
	struct header_runs *runs = &work->runs;
	const struct rules *target =
		rules->fixed < PORT_MAX ? work->snapshot->rules[rules->fixed] : NULL;

	for (unsigned i = 0; i < runs->n; i++) {
		if (runs->dest[i] < DEST_FORWARD)
			continue;
		if (target == NULL)
			runs->dest[i] = DEST_DROP + DROP_NO_TARGET;
		else
			runs->dest[i] = vlan_carries(&target->vlan, runs->frame[i]->vlan)
						? rules->fixed
						: DEST_DROP + DROP_VLAN;
	}
}

/** Drop flooded frames beyond the storm control rate of the rx port: the last of the burst. */
static void
classify_rules_storm(const struct rules *rules, struct burst *burst)
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
classify_rules_burst(struct fdb *fdb, const struct snapshot *snapshot, struct burst *burst,
	bool live, bool learn)
{
	struct classify_rules work = {.snapshot = snapshot, .rules = snapshot->rules[burst->port]};
	struct fdb_batch targets;
	unsigned missed = 0;

	work.sources = learn || work.rules->guard.sources || work.rules->is_uplink;
	classify_rules_runs(&work, burst);
	if (work.rules->guard.neighbours)
		classify_rules_neighbours(&work, burst);
	if (work.rules->fixed == PORT_NONE)
		header_runs_destinations(fdb, &work.runs, &targets);
	else
		targets.query.n = 0;
	if (work.rules->is_uplink)
		classify_rules_reflections(&work, fdb);
	if (learn && work.rules->learn)
		missed = classify_rules_learn(&work, fdb, &targets);
	else
		fdb_query_look(fdb, &targets.query);
	if (work.rules->fixed != PORT_NONE)
		classify_rules_fixed(&work);
	else
		classify_rules_lookup(&work, fdb, &targets);
	header_runs_apply(&work.runs, burst);
	for (uint32_t rest = work.spoofed; rest != 0; rest &= rest - 1)
		burst->dest[__builtin_ctz(rest)] = DEST_DROP + DROP_NEIGHBOUR;
	if (live && work.rules->storm != NULL)
		classify_rules_storm(work.rules, burst);
	for (unsigned i = 0; i < burst->n; i++)
		burst->source_port[i] = work.source_port[work.runs.of[i]];
	return missed;
}

void
classify_rules_stage(struct burst_context *context, const void *state)
{
	bool learn = classify_learns(context);

	(void)state;
	classify_back_off(context, classify_rules_burst(context->fdb, context->snapshot,
					   &context->burst, !context->trace_only, learn));
}
