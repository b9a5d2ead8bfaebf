/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash of the flow a frame belongs to, by which ports with several queues choose one: all frames
 * of a flow take the same queue, whichever polling lcore sends them.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_FRAME_HASH_H
#define SHUNT_FRAME_HASH_H

#include "frame/frame.h"

/** Hash of addresses and, for TCP and UDP that is not fragmented, ports. */
uint32_t frame_flow_hash(const struct frame *frame);

#endif
