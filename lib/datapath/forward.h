/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding: the classified burst of a context is split by destination and handed to output.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_FORWARD_H
#define SHUNT_DATAPATH_FORWARD_H

#include "datapath/context.h"

/** Send every frame of the burst to its destination, grouped by destination. */
void forward_burst(struct burst_context *context);

/**
 * Send frames by reference to every port that is up, except the rx port and those whose flood keys
 * exclude them.
 */
void flood_frames(struct burst_context *context, struct frame *const frames[], uint16_t n);

/**
 * Send frames by reference to every port that their VLAN, the policies and the flood keys of the tx
 * ports allow.
 *
 * @param kind DEST_BROADCAST, DEST_MULTICAST or DEST_UNKNOWN; DEST_GROUP plus a set: to ports of
 *        the set only, whatever their flood keys
 */
void flood_filtered(
	struct burst_context *context, uint16_t kind, struct frame *const frames[], uint16_t n);

/** Drop frames of the burst at their rx port: count, and release their references. */
void burst_drop(struct burst_context *context, enum drop_reason reason,
	struct frame *const frames[], uint16_t n);

#endif
