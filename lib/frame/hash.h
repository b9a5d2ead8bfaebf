/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow hash, by which ports with several queues choose a tx queue: all frames of a flow take the
 * same queue, whichever polling lcore sends them.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FRAME_HASH_H
#define SHUNT_FRAME_HASH_H

#include "frame/frame.h"

/**
 * Hash the flow of a frame: IP addresses and, for unfragmented TCP and UDP, port numbers; MAC
 * addresses and VLAN of other frames.
 *
 * @param frame with l2_len and vlan set
 * @return the hash, all 32 bits of it
 */
uint32_t frame_flow_hash(const struct frame *frame);

#endif
