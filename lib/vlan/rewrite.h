/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN rewrite: push, pop or replace the tag of a frame for its tx port (IEEE 802.1Q clause 6.9.2).
 * The payload is not copied, only the head is.
 *
 * Thread safety: a struct vlan_rewrite belongs to one polling lcore; the functions access only
 * their arguments.
 */
#ifndef SHUNT_VLAN_REWRITE_H
#define SHUNT_VLAN_REWRITE_H

#include "vlan/vlan.h"

enum {
	VLAN_REWRITE_HEAD = 116,     /**< bytes of head to copy; rings take this length fastest */
	VLAN_REWRITE_SEGMENTS = 512, /**< segments of all frames in a struct vlan_rewrite */
};

/** Buffers of rewritten frames, in use from vlan_rewrite_frame() until vlan_rewrite_done(). */
struct vlan_rewrite {
	uint8_t head[FRAME_BURST][VLAN_REWRITE_HEAD + FRAME_TAG_LEN + 60]
		__attribute__((aligned(64)));
	struct frame_segment segment[VLAN_REWRITE_SEGMENTS];
	struct frame frame[FRAME_BURST];
	struct rte_mbuf *lent[FRAME_BURST]; /**< referenced mbufs that `segment` points into */
	unsigned frames, segments, lents;
};

/**
 * Check whether a frame leaves by a port unchanged.
 *
 * @param rules of the tx port
 * @return true if no tag is to be pushed, popped or changed
 */
bool vlan_rewrite_is_needless(const struct vlan_rules *rules, const struct frame *frame);

/**
 * Get the change of a frame's length by VLAN rewrite.
 *
 * @param rules of the tx port
 * @return bytes added: FRAME_TAG_LEN, 0, or -FRAME_TAG_LEN
 */
int vlan_rewrite_change(const struct vlan_rules *rules, const struct frame *frame);

/**
 * Rewrite the tag of a frame for a tx port. Takes the reference of its mbuf, unless it fails.
 *
 * @param rules of the tx port
 * @return the rewritten frame, valid until vlan_rewrite_done(); NULL when there is no space: send
 *         the frames so far, call vlan_rewrite_done(), and try again
 */
struct frame *vlan_rewrite_frame(
	struct vlan_rewrite *rewrite, const struct vlan_rules *rules, const struct frame *frame);

/** Release the buffers and mbufs of all rewritten frames, which have been sent. */
void vlan_rewrite_done(struct vlan_rewrite *rewrite);

#endif
