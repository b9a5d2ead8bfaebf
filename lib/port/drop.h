/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why frames are dropped. Every drop has one of these reasons and is counted at one port, in one
 * direction: rx is what the switch received from the port, tx what it had for it.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_PORT_DROP_H
#define SHUNT_PORT_DROP_H

/* X(constant, word that users see, what it means) */
#define DROP_REASONS(X)                                                                            \
	X(DROP_RUNT, "runt", "shorter than its Ethernet header")                                   \
	X(DROP_BAD_FRAME, "bad-frame", "buffers or virtio-net header that make no frame")          \
	X(DROP_DISABLED, "disabled", "from a transmit ring that its front end has disabled")       \
	X(DROP_BAD_TAG, "bad-tag", "VLAN id 4095, which IEEE 802.1Q reserves")                     \
	X(DROP_RESERVED, "reserved", "to 01:80:c2:00:00:00-0f, which a bridge keeps to itself")    \
	X(DROP_VLAN, "vlan",                                                                       \
		"of a VLAN that the port it came from, or would leave by, does not carry")         \
	X(DROP_POLICY, "policy", "between ports that may not reach each other")                    \
	X(DROP_SAME_PORT, "same-port", "the destination is where the frame came from")             \
	X(DROP_NO_TARGET, "no-target", "to everybody, and there is no other port up")              \
	X(DROP_TOO_LONG, "too-long", "longer than the MTU of the port it would leave by")          \
	X(DROP_TX_FULL, "tx-full", "the receiver has no free descriptor")                          \
	X(DROP_LINK_DOWN, "link-down", "the port it would leave by is down")                       \
	X(DROP_BAD_OFFLOAD, "bad-offload", "checksum or segmentation request that makes no sense") \
	X(DROP_NO_MEMORY, "no-memory", "no packet buffer was free")

enum drop_reason {
#define DROP_ENUM(constant, word, meaning) constant,
	DROP_REASONS(DROP_ENUM)
#undef DROP_ENUM
		DROP_COUNT
};

/** What a reason means, in a few words. */
const char *drop_meaning(enum drop_reason reason);

/** The word for a reason. */
const char *drop_word(enum drop_reason reason);

#endif
