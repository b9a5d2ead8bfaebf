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
	uint64_t mac = mac_load(frame->head);
	if (!mac_is_group(mac))
		return DEST_LOOKUP;
	return mac_is_reserved(mac) ? DEST_DROP + DROP_RESERVED : DEST_FLOOD;
}

static void
classify_leaders(struct burst *burst, struct leaders *leaders, bool sources)
{
	const struct frame *last = NULL, *leader = NULL;

	leaders->n = 0;
	for (unsigned i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frame[i];
		if (last != NULL && leaders_same(frame, last, sources)) {
			frame->l2_len = leader->l2_len;
			frame->vlan = leader->vlan;
		} else {
			leaders->dest[leaders->n] = classify_frame(frame);
			leaders->frame[leaders->n++] = leader = frame;
		}
		leaders->of[i] = (uint8_t)(leaders->n - 1);
		last = frame;
	}
}

static void
classify_lookup(const struct fdb *fdb, const struct targets *targets, struct leaders *leaders,
	uint16_t port)
{
	uint16_t ports[FRAME_BURST];

	if (targets->n > 0)
		fdb_lookup_burst(fdb, targets->key, ports, targets->n);
	for (unsigned i = 0; i < targets->n; i++)
		leaders->dest[targets->leader[i]] =
			ports[i] == port ? DEST_DROP + DROP_SAME_PORT : ports[i];
}

unsigned
classify_burst(struct fdb *fdb, struct burst *burst, bool learn)
{
	struct leaders leaders;
	struct targets targets;
	unsigned missed = 0;

	classify_leaders(burst, &leaders, learn);
	leaders_targets(&leaders, &targets);
	fdb_prefetch_burst(fdb, targets.key, targets.n);
	if (likely(learn))
		missed = leaders_learn(fdb, &leaders, burst->port);
	classify_lookup(fdb, &targets, &leaders, burst->port);
	leaders_follow(&leaders, burst);
	return missed;
}
