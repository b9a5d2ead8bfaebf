/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding: the classified burst of a context is split by destination and handed to output.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_FORWARD_H
#define SHUNT_DATAPATH_FORWARD_H

#include "datapath/context.h"

struct snapshot_flood;

/** Send every frame of the burst to its destination, grouped by destination. */
void forward_burst(struct burst_context *context);

/**
 * Send frames by reference to every port that is up and takes such floods, except the rx port.
 *
 * @param kind DEST_BROADCAST, DEST_MULTICAST or DEST_UNKNOWN
 * @param frames a bit for each frame of the burst; not 0
 */
void flood_frames(struct burst_context *context, uint16_t kind, uint32_t frames);

/**
 * Send frames as flood_frames() does, but only to ports whose egress filters let them pass.
 *
 * @param kind as for flood_frames(); DEST_GROUP plus the index of a set: to ports of the set only,
 *        even if they refuse multicast floods
 * @param frames a bit for each frame of the burst; not 0
 */
void flood_filtered(struct burst_context *context, uint16_t kind, uint32_t frames);

/**
 * Get the target ports of a kind of flood.
 *
 * @param kind as for flood_filtered(); for DEST_GROUP the targets of broadcasts, of which the
 *        members of the group are a part
 * @return the targets, the rx port included; valid as long as the snapshot
 */
const struct snapshot_flood *flood_targets(const struct snapshot *snapshot, uint16_t kind);

/**
 * Drop frames of the burst at their rx port: count them, release one reference of each, and set
 * their destinations.
 *
 * @param reason of the drops
 * @param frames frames of context->burst
 * @param n up to FRAME_BURST
 */
void burst_drop(struct burst_context *context, enum drop_reason reason,
	struct frame *const frames[], uint16_t n);

#endif
