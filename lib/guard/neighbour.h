/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose address a frame claims to be its sender's, beside the source in the Ethernet header: in ARP
 * and RARP (RFC 826, RFC 903) the sender's hardware address, in neighbour discovery (RFC 4861) the
 * source and target link-layer address options. Others put these into their tables, so that who
 * lies there gets the frames of another.
 *
 * A frame passes only if all of that was seen to be true. Decisions are made on frame->head, which
 * is what receivers get too. Bytes behind it are in memory that the guest may still change, where
 * looking proves nothing: if they could matter, the frame does not pass. The head of a guest's frame
 * holds neighbour solicitations and advertisements with space to spare, and router advertisements
 * with a prefix and an address.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_GUARD_NEIGHBOUR_H
#define SHUNT_GUARD_NEIGHBOUR_H

#include "frame/frame.h"
#include "guard/macs.h"

/**
 * May this frame pass a port that only speaks for these addresses? It may not when it
 *   - is ARP or RARP whose sender is none of them, or is cut short;
 *   - is neighbour discovery with such an address in an option, or is malformed, in fragments
 *     (RFC 6980), or goes on behind the head;
 *   - has tags or extension headers that go on behind the head or are too many, or fragments that
 *     hide what they are parts of;
 *   - asks for a checksum to be stored over any of what was looked at.
 *
 * @param frame FRAME_ETH_LEN bytes of head at least
 */
bool neighbour_is_true(const struct frame *frame, const struct macs *macs);

#endif
