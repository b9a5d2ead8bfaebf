/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/classify.h"

#include <string.h>

#include "base/mac.h"
#include "datapath/leaders.h"
#include "vlan/vlan.h"

/** Find the VLAN of a frame: its outer tag's id; 0 when untagged or priority-tagged. */
static inline uint16_t
classify_vlan(struct frame *frame)
{
	const uint8_t *type = frame->head + FRAME_MACS_LEN;

	frame->l2_len = FRAME_ETH_LEN;
	frame->vlan = VLAN_NONE;
	if (frame_be16(type) != VLAN_TPID_C)
		return DEST_LOOKUP;
	if (frame->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN)
		return DEST_DROP + DROP_RUNT;
	frame->l2_len = FRAME_ETH_LEN + FRAME_TAG_LEN;
	frame->vlan = frame_be16(type + 2) & VLAN_ID_MASK;
	return frame->vlan == VLAN_RESERVED ? DEST_DROP + DROP_BAD_TAG : DEST_LOOKUP;
}

static inline uint16_t
classify_frame(struct frame *frame)
{
	if (frame->head_len < FRAME_ETH_LEN)
		return DEST_DROP + DROP_RUNT;
	uint16_t dest = classify_vlan(frame);
	if (dest != DEST_LOOKUP)
		return dest;
	if (!mac_is_source(mac_load(frame->head + MAC_BYTES)))
		return DEST_DROP + DROP_BAD_SOURCE;
	uint64_t mac = mac_load(frame->head);
	if (!mac_is_group(mac))
		return DEST_LOOKUP;
	return mac_is_reserved(mac) ? DEST_DROP + DROP_RESERVED : DEST_FLOOD;
}

/** What is said of a burst, and asked for. */
struct classify {
	struct leaders leaders;
	struct asked targets, sources;
};

/** Apart from the loop, which mostly passes by. */
static __attribute__((noinline)) void
classify_leader(struct classify *classify, const struct fdb *fdb, struct frame *frame, unsigned i,
	bool learn)
{
	struct leaders *leaders = &classify->leaders;

	leaders->frame[i] = frame;
	leaders->dest[i] = classify_frame(frame);
	asked_target(fdb, &classify->targets, leaders, i);
	if (learn)
		asked_source(fdb, &classify->sources, leaders, i);
}

/** Inlined by force, for bursts that are learnt from and for others: the loop has no test of which. */
static __rte_always_inline void
classify_leaders(struct classify *classify, const struct fdb *fdb, struct burst *burst, bool learn)
{
	const struct frame *leader = NULL;
	unsigned n = 0, count = burst->n;

	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = &burst->frame[i];
		if (i > 0 && leaders_same(frame, frame - 1, learn)) {
			frame->l2_len = leader->l2_len;
			frame->vlan = leader->vlan;
		} else {
			classify_leader(classify, fdb, frame, n++, learn);
			leader = frame;
		}
		classify->leaders.of[i] = (uint8_t)(n - 1);
	}
	classify->leaders.n = n;
}

static void
classify_lookup(struct classify *classify, const struct fdb *fdb, uint16_t port)
{
	struct leaders *leaders = &classify->leaders;

	fdb_lookup_burst(fdb, &classify->targets.query);
	for (unsigned i = 0; i < leaders->n; i++) {
		uint16_t dest = asked_port(&classify->targets, i);

		if (asked_is(&classify->targets, i))
			leaders->dest[i] = dest == port ? DEST_DROP + DROP_SAME_PORT : dest;
	}
}

unsigned
classify_burst(struct fdb *fdb, struct burst *burst, bool learn)
{
	struct classify classify;
	unsigned missed = 0;

	classify.targets.query.n = 0;
	classify.sources.query.n = 0;
	if (likely(learn)) {
		classify_leaders(&classify, fdb, burst, true);
		missed = leaders_learn(fdb, &classify.sources, burst->port, &classify.targets);
	} else {
		classify_leaders(&classify, fdb, burst, false);
		fdb_query_look(fdb, &classify.targets.query);
	}
	classify_lookup(&classify, fdb, burst->port);
	leaders_follow(&classify.leaders, burst);
	return missed;
}
