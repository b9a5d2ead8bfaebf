/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLANs of a port (IEEE 802.1Q clauses 6.9 and 8.6): to which VLAN a frame belongs that came in
 * there, which VLANs the port carries, and whether frames leave with a tag.
 *
 * Thread safety: constant once set up.
 */
#ifndef SHUNT_VLAN_VLAN_H
#define SHUNT_VLAN_VLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "frame/frame.h"
#include "port/drop.h"
#include "port/port.h"

enum {
	VLAN_NONE = 0,        /**< of frames without a tag at a port that knows no VLANs */
	VLAN_RESERVED = 4095, /**< IEEE 802.1Q table 9-2 */
	VLAN_COUNT = 4096,
	VLAN_ID_MASK = 0xfff,
	VLAN_TPID_C = 0x8100, /**< customer tag, IEEE 802.1Q table 9-1 */
	VLAN_TPID_S = 0x88a8, /**< service tag, the outer one of two */
};

/** A set of VLAN ids. */
struct vlan_set {
	uint64_t bits[VLAN_COUNT / 64];
};

static inline bool
vlan_set_has(const struct vlan_set *set, uint16_t vlan)
{
	return set->bits[vlan / 64] >> vlan % 64 & 1;
}

static inline void
vlan_set_add(struct vlan_set *set, uint16_t vlan)
{
	set->bits[vlan / 64] |= UINT64_C(1) << vlan % 64;
}

/**
 * Parse a list of ids and ranges, such as "10,20-29".
 *
 * @return 0; -EINVAL with the reason: no number from 1 to 4094, a range that runs backwards, an id
 *         that is named twice
 */
int vlan_set_parse(const char *list, struct vlan_set *set, struct err *err);

/** What a port does with tags. */
struct vlan_rules {
	bool filters; /**< carries `carried` only; else all VLANs, and frames stay as they are */
	bool access;  /**< frames with a tag of their own are not for it */
	uint16_t
		pvid; /**< VLAN of frames without a tag, which leave without one; 0 = there is none */
	uint16_t tpid; /**< how tags of this port begin */
	bool inserts;  /**< its device puts tags in; set by who knows the port */
	struct vlan_set carried;
};

/** Do the keys `vlan`, `trunk` and `native` fit together? @return 0; -EINVAL with the reason */
int vlan_check(const struct port_config *config, struct err *err);

/** The rules of a port whose configuration passed vlan_check(). */
void vlan_rules_of(const struct port_config *config, struct vlan_rules *rules);

/** May frames of a VLAN leave by this port? */
static inline bool
vlan_carries(const struct vlan_rules *rules, uint16_t vlan)
{
	return !rules->filters || vlan_set_has(&rules->carried, vlan);
}

/** The VLAN of a frame that came without a tag, or with one that only has a priority. */
static inline int
vlan_of_untagged(const struct vlan_rules *rules, struct frame *frame)
{
	frame->vlan = rules->pvid;
	return rules->filters && rules->pvid == VLAN_NONE ? DROP_VLAN : -1;
}

/**
 * The VLAN of a frame that came in: sets vlan, tag_len and l2_len. The frame has FRAME_ETH_LEN
 * bytes at least.
 *
 * @return -1, or the enum drop_reason why the frame may not come in
 */
static inline int
vlan_ingress(const struct vlan_rules *rules, struct frame *frame)
{
	uint16_t tpid = frame_be16(frame->head + FRAME_MACS_LEN);

	frame->l2_len = FRAME_ETH_LEN;
	frame->tag_len = 0;
	if (tpid != rules->tpid)
		return vlan_of_untagged(rules, frame);
	if (frame->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN)
		return DROP_RUNT;
	frame->l2_len = FRAME_ETH_LEN + FRAME_TAG_LEN;
	frame->tag_len = FRAME_TAG_LEN;
	frame->vlan = frame_be16(frame->head + FRAME_ETH_LEN) & VLAN_ID_MASK;
	if (frame->vlan == VLAN_NONE)
		return vlan_of_untagged(rules, frame);
	if (frame->vlan == VLAN_RESERVED)
		return DROP_BAD_TAG;
	return rules->access || !vlan_carries(rules, frame->vlan) ? DROP_VLAN : -1;
}

#endif
