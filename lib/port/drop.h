/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reasons of drops, and the side that can end them. Every drop has one of these reasons and is
 * counted at one port, in one direction: rx of frames received from the port, tx of frames to it.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_PORT_DROP_H
#define SHUNT_PORT_DROP_H

#include <stdbool.h>

/** The side that has to act for such drops to end. */
enum drop_owner {
	DROP_BY_GUEST,  /**< a guest that sends invalid or forbidden frames, or is too slow */
	DROP_BY_SWITCH, /**< the switch: its configuration or resources */
	DROP_BY_PEER,   /**< a device, or the other end of its link */
	DROP_BY_PORT,   /**< the guest if the port is a VM's, else the peer */
};

/** X(constant, word that users see, side that has to act, meaning) for each reason. */
#define DROP_REASONS(X)                                                                            \
	X(DROP_RUNT, "runt", DROP_BY_PORT, "frame shorter than its Ethernet header")               \
	X(DROP_BAD_FRAME, "bad-frame", DROP_BY_PORT,                                               \
		"buffers or virtio-net header that form no valid frame")                           \
	X(DROP_DISABLED, "disabled", DROP_BY_GUEST,                                                \
		"frame from a transmit ring that the front end has disabled")                      \
	X(DROP_BAD_TAG, "bad-tag", DROP_BY_PORT, "VLAN ID 4095, which IEEE 802.1Q reserves")       \
	X(DROP_BAD_SOURCE, "bad-source", DROP_BY_PORT,                                             \
		"source address that is a group, broadcast or zero address")                       \
	X(DROP_RESERVED, "reserved", DROP_BY_PORT,                                                 \
		"destination 01:80:c2:00:00:00-0f, which a bridge does not forward")               \
	X(DROP_VLAN, "vlan", DROP_BY_PORT, "VLAN that the ingress or egress port does not carry")  \
	X(DROP_SOURCE, "source", DROP_BY_GUEST,                                                    \
		"source address that is not among the port's addresses (macs)")                    \
	X(DROP_NEIGHBOUR, "neighbour", DROP_BY_GUEST,                                              \
		"ARP or neighbour discovery with a foreign address, or not verifiable")            \
	X(DROP_STORM, "storm", DROP_BY_GUEST,                                                      \
		"broadcast, multicast or unknown unicast above the port's storm limit")            \
	X(DROP_POLICY, "policy", DROP_BY_SWITCH,                                                   \
		"forwarding between the two ports that a policy forbids")                          \
	X(DROP_RATE, "rate", DROP_BY_PORT, "above the port's rate-in")                             \
	X(DROP_RATE_QUEUE, "rate-queue", DROP_BY_SWITCH,                                           \
		"queue for the port's rate-out that is full")                                      \
	X(DROP_SAME_PORT, "same-port", DROP_BY_PORT, "destination behind the ingress port")        \
	X(DROP_NO_TARGET, "no-target", DROP_BY_SWITCH, "flood without another port that is up")    \
	X(DROP_NO_MEMBER, "no-member", DROP_BY_PORT,                                               \
		"multicast group without a member or router at another port")                      \
	X(DROP_TOO_LONG, "too-long", DROP_BY_SWITCH,                                               \
		"frame longer than the MTU of the egress port")                                    \
	X(DROP_TX_FULL, "tx-full", DROP_BY_PORT, "receiver without a free descriptor")             \
	X(DROP_LINK_DOWN, "link-down", DROP_BY_PORT, "egress port that is down")                   \
	X(DROP_BAD_OFFLOAD, "bad-offload", DROP_BY_GUEST,                                          \
		"invalid checksum or segmentation request")                                        \
	X(DROP_NO_MEMORY, "no-memory", DROP_BY_SWITCH, "no free packet buffer")

/** Reasons, in the order of DROP_REASONS(). */
enum drop_reason {
/** The enumerator of a reason. */
#define DROP_ENUM(constant, word, owner, meaning) constant,
	DROP_REASONS(DROP_ENUM)
#undef DROP_ENUM
		DROP_COUNT
};

/**
 * Get the meaning of a reason, in a few words.
 *
 * @param reason below DROP_COUNT
 * @return constant text
 */
const char *drop_meaning(enum drop_reason reason);

/**
 * Get the word for a reason, as users see it.
 *
 * @param reason below DROP_COUNT
 * @return constant text
 */
const char *drop_word(enum drop_reason reason);

/**
 * Get the word for the side that has to act: guest, switch or peer.
 *
 * @param reason below DROP_COUNT
 * @param vm true if the drop was counted at a VM's port
 * @return constant text
 */
const char *drop_owner_word(enum drop_reason reason, bool vm);

#endif
