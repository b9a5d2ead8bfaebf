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

/* X(constant, word that users see, side that has to act, meaning) */
/** X(constant, word that users see, side that has to act, meaning) for each reason. */
#define DROP_REASONS(X)                                                                            \
	X(DROP_RUNT, "runt", DROP_BY_PORT, "shorter than its Ethernet header")                     \
	X(DROP_BAD_FRAME, "bad-frame", DROP_BY_PORT,                                               \
		"buffers or virtio-net header that make no frame")                                 \
	X(DROP_DISABLED, "disabled", DROP_BY_GUEST,                                                \
		"from a transmit ring that its front end has disabled")                            \
	X(DROP_BAD_TAG, "bad-tag", DROP_BY_PORT, "VLAN id 4095, which IEEE 802.1Q reserves")       \
	X(DROP_BAD_SOURCE, "bad-source", DROP_BY_PORT,                                             \
		"from a group address, broadcast or zero, which is no source")                     \
	X(DROP_RESERVED, "reserved", DROP_BY_PORT,                                                 \
		"to 01:80:c2:00:00:00-0f, reserved addresses that a bridge does not forward")      \
	X(DROP_VLAN, "vlan", DROP_BY_PORT,                                                         \
		"of a VLAN that the port it came from, or would leave by, does not carry")         \
	X(DROP_SOURCE, "source", DROP_BY_GUEST,                                                    \
		"from an address that is none of those its port may send from")                    \
	X(DROP_NEIGHBOUR, "neighbour", DROP_BY_GUEST,                                              \
		"ARP or neighbour discovery that speaks for another, or cannot be seen not to")    \
	X(DROP_STORM, "storm", DROP_BY_GUEST,                                                      \
		"to everybody, and there were more than its port may send")                        \
	X(DROP_POLICY, "policy", DROP_BY_SWITCH, "between ports that may not reach each other")    \
	X(DROP_RATE, "rate", DROP_BY_PORT, "over the port's rate-in")                              \
	X(DROP_RATE_QUEUE, "rate-queue", DROP_BY_SWITCH,                                           \
		"no room to wait for the port's rate-out")                                         \
	X(DROP_SAME_PORT, "same-port", DROP_BY_PORT,                                               \
		"the destination is where the frame came from")                                    \
	X(DROP_NO_TARGET, "no-target", DROP_BY_SWITCH,                                             \
		"to everybody, and there is no other port up")                                     \
	X(DROP_NO_MEMBER, "no-member", DROP_BY_PORT,                                               \
		"multicast that no other port up has asked for")                                   \
	X(DROP_TOO_LONG, "too-long", DROP_BY_SWITCH,                                               \
		"longer than the MTU of the port it would leave by")                               \
	X(DROP_TX_FULL, "tx-full", DROP_BY_PORT, "the receiver has no free descriptor")            \
	X(DROP_LINK_DOWN, "link-down", DROP_BY_PORT, "the port it would leave by is down")         \
	X(DROP_BAD_OFFLOAD, "bad-offload", DROP_BY_GUEST,                                          \
		"checksum or segmentation request that makes no sense")                            \
	X(DROP_NO_MEMORY, "no-memory", DROP_BY_SWITCH, "no packet buffer was free")

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
