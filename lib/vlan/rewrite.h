/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN rewrite: push, pop or replace the tag of a frame for its tx port (IEEE 802.1Q clause 6.9.2).
 * Only the head is copied, not the payload.
 *
 * Thread safety: a struct vlan_rewrite belongs to one polling lcore; the functions access only
 * their arguments.
 */
#ifndef SHUNT_VLAN_REWRITE_H
#define SHUNT_VLAN_REWRITE_H

#include "vlan/vlan.h"

enum {
	VLAN_REWRITE_HEAD = 116,     /**< bytes of head to copy: all that a guest's frame has */
	VLAN_REWRITE_ROW = 192,      /**< bytes of space for it: whole cache lines */
	VLAN_REWRITE_SEGMENTS = 512, /**< segments of all frames in a struct vlan_rewrite */
};

/** Buffers of rewritten frames, in use from vlan_rewrite_burst() until vlan_rewrite_done(). */
struct vlan_rewrite {
	uint8_t head[FRAME_BURST][VLAN_REWRITE_ROW] __attribute__((aligned(64)));
	struct frame_segment segment[VLAN_REWRITE_SEGMENTS];
	struct frame frame[FRAME_BURST];
	struct rte_mbuf *lent[FRAME_BURST]; /**< referenced mbufs that `segment` points into */
	unsigned frames, segments, lents;
};

/**
 * Rewrite the tags of frames for a tx port. Takes one reference of each mbuf whose frame is
 * replaced.
 *
 * @param rules of the tx port
 * @param exclusive the frames have this tx port only, so that they may be changed
 * @param frames a frame that changes is replaced by the rewritten one, valid until
 *        vlan_rewrite_done()
 * @param n up to FRAME_BURST
 * @return number of frames that are ready, from the first on; fewer than n when there is no space
 *         for the next one: send these, call vlan_rewrite_done(), and go on
 */
uint16_t vlan_rewrite_burst(struct vlan_rewrite *rewrite, const struct vlan_rules *rules,
	bool exclusive, struct frame *frames[], uint16_t n);

/** Release the buffers and mbufs of all rewritten frames, which have been sent. */
void vlan_rewrite_done(struct vlan_rewrite *rewrite);

#endif
