/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLANs of a port (IEEE 802.1Q clauses 6.9 and 8.6): the VLAN of a received frame, the VLANs that
 * the port carries, and whether frames leave tagged.
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

enum {
	VLAN_NONE = 0,        /**< no VLAN: untagged frames at a port without PVID */
	VLAN_RESERVED = 4095, /**< IEEE 802.1Q table 9-2 */
	VLAN_COUNT = 4096,
	VLAN_ID_MASK = 0xfff,
	VLAN_TPID_C = 0x8100, /**< customer tag, IEEE 802.1Q table 9-1 */
	VLAN_TPID_S = 0x88a8, /**< service tag, the outer one of two tags */
};

/** A set of VLAN ids, a bit for each. */
struct vlan_set {
	uint64_t bits[VLAN_COUNT / 64];
};

/**
 * Check whether a VLAN is in a set.
 *
 * @param vlan below VLAN_COUNT
 * @return true if it is
 */
static inline bool
vlan_set_has(const struct vlan_set *set, uint16_t vlan)
{
	return set->bits[vlan / 64] >> vlan % 64 & 1;
}

/** Add a VLAN to a set. @param vlan below VLAN_COUNT */
static inline void
vlan_set_add(struct vlan_set *set, uint16_t vlan)
{
	set->bits[vlan / 64] |= UINT64_C(1) << vlan % 64;
}

/**
 * Parse a list of ids and ranges, such as "10,20-29".
 *
 * @param list untrusted
 * @return 0; -EINVAL with the reason in err: not a number from 1 to 4094, a descending range, or a
 *         duplicate id
 */
int vlan_set_parse(const char *list, struct vlan_set *set, struct err *err);

/** VLAN rules of a port. */
struct vlan_rules {
	bool filters;  /**< carries `carried` only; else all VLANs, and frames stay as they are */
	bool access;   /**< frames with a VLAN tag are dropped */
	uint16_t pvid; /**< VLAN that is untagged at this port, in rx and tx; 0 = none */
	uint16_t tpid; /**< TPID of the tags at this port */
	bool inserts;  /**< the device can insert tags; set by the caller of vlan_rules_of() */
	struct vlan_set carried;
};

/**
 * Check whether frames of a VLAN may leave by the port.
 *
 * @param vlan VLAN id; VLAN_NONE = untagged
 * @return true if they may
 */
static inline bool
vlan_carries(const struct vlan_rules *rules, uint16_t vlan)
{
	return !rules->filters || vlan_set_has(&rules->carried, vlan);
}

/** Set the VLAN of an untagged or priority-tagged frame to the PVID. @return as vlan_ingress() */
static inline int
vlan_of_untagged(const struct vlan_rules *rules, struct frame *frame)
{
	frame->vlan = rules->pvid;
	return rules->filters && rules->pvid == VLAN_NONE ? DROP_VLAN : -1;
}

/**
 * Set vlan, tag_len and l2_len of a received frame, and filter it by its VLAN (IEEE 802.1Q clauses
 * 6.9.1 and 8.6.2).
 *
 * @param frame with a head of at least FRAME_ETH_LEN bytes
 * @return -1 if the frame is accepted, else an enum drop_reason
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
