/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tags at the edge: a frame as it leaves by a port, with its tag pushed, popped or rewritten (IEEE
 * 802.1Q clause 6.9.2). The payload stays where it is; what changes is a copy of the head.
 *
 * Thread safety: a room belongs to one polling lcore; the functions touch only what they are given.
 */
#ifndef SHUNT_VLAN_RETAG_H
#define SHUNT_VLAN_RETAG_H

#include "vlan/vlan.h"

enum {
	RETAG_HEAD = 116,     /**< bytes of a head that is copied: as many as rings take fastest */
	RETAG_SEGMENTS = 512, /**< pieces of the frames of one room */
};

/** Frames with another tag, from retag_frame() until retag_done(). */
struct retag_room {
	uint8_t head[FRAME_BURST][RETAG_HEAD + FRAME_TAG_LEN + 60] __attribute__((aligned(64)));
	struct frame_segment segment[RETAG_SEGMENTS];
	struct frame frame[FRAME_BURST];
	struct rte_mbuf *lent[FRAME_BURST]; /**< mbufs that frames of the room point into */
	unsigned frames, segments, lents;
};

/** Does a frame leave by a port as it is? */
bool retag_is_needless(const struct vlan_rules *rules, const struct frame *frame);

/** Bytes that a frame grows by where it leaves by a port: FRAME_TAG_LEN, 0, or -FRAME_TAG_LEN. */
int retag_change(const struct vlan_rules *rules, const struct frame *frame);

/**
 * A frame as it leaves by a port. Takes the reference of its mbuf.
 *
 * @return the frame with its tag changed; NULL when the room is full: then call retag_done() first
 */
struct frame *retag_frame(
	struct retag_room *room, const struct vlan_rules *rules, const struct frame *frame);

/** The frames of the room have been sent: let go of what they pointed to. */
void retag_done(struct retag_room *room);

#endif
