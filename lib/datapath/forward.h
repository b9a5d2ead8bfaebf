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
 * Send frames by reference to those of these ports whose egress filters let them pass.
 *
 * @param kind as for flood_frames(); DEST_GROUP plus a set: to ports of the set only, whatever
 *        floods they take
 * @param frames a bit for each frame of the burst; not 0
 */
void flood_filtered(struct burst_context *context, uint16_t kind, uint32_t frames);

/** The targets of a kind of flood. @param kind as for flood_filtered() */
const struct snapshot_flood *flood_targets(const struct snapshot *snapshot, uint16_t kind);

/** Drop frames of the burst at their rx port: count, and release their references. */
void burst_drop(struct burst_context *context, enum drop_reason reason,
	struct frame *const frames[], uint16_t n);

#endif
