/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks the sender addresses that a frame has besides the source in its Ethernet header: in ARP
 * and RARP (RFC 826, RFC 903) the sender's hardware address, in neighbour discovery (RFC 4861) the
 * source and target link-layer address options. Receivers enter these into their neighbour tables,
 * so that a guest that spoofs them gets frames that are for another guest.
 *
 * A frame passes only if all of these addresses were checked. Decisions are made on frame->head,
 * which receivers get too. Bytes after the head are in memory that the guest may still change, so
 * that a check proves nothing: if they could matter, the frame does not pass. The head of a guest's
 * frame has ample space for neighbour solicitations and advertisements, and for router
 * advertisements with a prefix and an address.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_FEATURES_NEIGHBOURS_NEIGHBOUR_H
#define SHUNT_FEATURES_NEIGHBOURS_NEIGHBOUR_H

#include "frame/frame.h"
#include "features/sources/macs.h"

/**
 * Whether a frame may pass a port whose sender addresses are limited to `macs`. It does not pass if
 *   - it is ARP or RARP whose sender is not among `macs`, or is truncated;
 *   - it is neighbour discovery with another address in an option, or is malformed, fragmented
 *     (RFC 6980), or longer than the head;
 *   - its tags or extension headers do not end within the head or are too many, or its fragments
 *     hide the protocol of the packet;
 *   - it requests a checksum to be stored over bytes that were checked.
 *
 * @param frame has at least FRAME_ETH_LEN bytes of head
 * @return true if it may pass
 */
bool neighbour_may_pass(const struct frame *frame, const struct macs *macs);

#endif
