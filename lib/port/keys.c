/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of ports of every type, and their defaults. */
#include "port/keys.h"

/* clang-format off: rows read better than blocks */
#define PORT_KEY(word, member, text, ...)                                                          \
	{                                                                                          \
		.name = (word), .help = (text), .offset = offsetof(struct port_config, member),    \
		.live = true, __VA_ARGS__                                                          \
	}
#define SWITCH        .kind = KEY_SWITCH
#define CHOICE(words) .kind = KEY_CHOICE, .choices = (words)
#define NUMBER(most)  .kind = KEY_NUMBER, .max = (most)
#define LIST(bytes)   .kind = KEY_TEXT, .value = "LIST", .size = (bytes), .optional = true
#define PORT          .kind = KEY_TEXT, .value = "PORT", .size = PORT_NAME_MAX, .optional = true
/* Limits as in lib/rate/bucket.h. */
#define RATE                                                                                       \
	.kind = KEY_AMOUNT, .value = "BITS", .min = 1000, .max = 1000000000000, .noun = "rate",    \
	.unset = "off"
#define BURST                                                                                      \
	.kind = KEY_AMOUNT, .value = "BYTES", .min = 1, .max = 512000000, .noun = "burst",         \
	.unset = "auto"
/* clang-format on */

enum {
	NUMA_LAST = 63,
	VLAN_LAST = 4094, /* IEEE 802.1Q table 9-2 */
	MAC_LIMIT_MAX = 1048576,
	QUEUE_OUT = 1000, /* as txqueuelen of Linux */
	QUEUE_OUT_MIN = 64,
	QUEUE_OUT_MAX = 65536,
};

static const char *const port_vlan_protocols[] = {"802.1Q", "802.1ad", NULL};
static const char *const port_mcast_routers[] = {"auto", "on", "off", NULL};
static const char *const port_policies[] = {"bridge", "vepa", "private", "passthru", NULL};
static const char *const port_mirror_directions[] = {"both", "rx", "tx", NULL};

/* clang-format off: rows read better than blocks */
const struct key port_common_keys[] = {
	PORT_KEY("enabled", enabled, "whether the port passes frames", SWITCH),
	{.name = "numa",
		.offset = offsetof(struct port_config, numa),
		.help = "the NUMA node whose memory and lcores serve the port; -1 for any",
		.min = PORT_NUMA_AUTO,
		NUMBER(NUMA_LAST)},
	PORT_KEY("mac-limit", mac_limit, "how many addresses may be learned at the port; 0 for any",
		NUMBER(MAC_LIMIT_MAX)),
	PORT_KEY("vlan", vlan,
		"access port: the VLAN of all frames, which carry no tag here; 0 for none",
		NUMBER(VLAN_LAST)),
	PORT_KEY("trunk", trunk, "the VLANs whose frames carry a tag here, as 10,20-29",
		LIST(PORT_TRUNK_MAX)),
	PORT_KEY("native", native, "trunk: the VLAN of frames without a tag; 0 for none",
		NUMBER(VLAN_LAST)),
	PORT_KEY("vlan-protocol", vlan_protocol,
		"the tag of a trunk's frames: customer (802.1Q) or service (802.1ad)",
		CHOICE(port_vlan_protocols)),
	PORT_KEY("policy", policy,
		"which ports are reached: all (bridge), all by way of the uplink (vepa), the "
		"uplink alone (private), or the uplink as its only port (passthru)",
		CHOICE(port_policies)),
	PORT_KEY("uplink", uplink, "the port that the policy is about; empty for none", PORT),
	PORT_KEY("learn", learn, "whether source addresses are learned at the port", SWITCH),
	PORT_KEY("flood", flood, "whether frames to unknown addresses may leave here", SWITCH),
	PORT_KEY("mcast-flood", mcast_flood, "whether multicast may leave here", SWITCH),
	PORT_KEY("isolated", isolated, "whether other isolated ports are out of reach", SWITCH),
	PORT_KEY("forward-reserved", forward_reserved,
		"the addresses 01:80:c2:00:00:00 to 0f that pass and that a bridge keeps to itself "
		"otherwise: last digits or names, as lacp,lldp; nothing for none",
		LIST(PORT_RESERVED_TEXT)),
	PORT_KEY("rate-in", rate_in,
		"how many bits a second are taken from the port, as 100M, or off; what is over is "
		"dropped",
		RATE),
	PORT_KEY("rate-out", rate_out,
		"how many bits a second leave by the port, as 100M, or off; what is early waits",
		RATE),
	PORT_KEY("burst-in", burst_in,
		"how much may come at once after a pause, with rate-in, or auto", BURST),
	PORT_KEY("burst-out", burst_out,
		"how much may leave at once after a pause, with rate-out, or auto", BURST),
	PORT_KEY("queue-out", queue_out,
		"how many frames may wait for rate-out; long ones count for each 2 KB",
		NUMBER(QUEUE_OUT_MAX), .min = QUEUE_OUT_MIN),
	PORT_KEY("mirror", mirror,
		"the port that copies of this port's frames leave by as well; empty for none",
		PORT),
	PORT_KEY("mirror-direction", mirror_direction,
		"copies of what the switch receives here (rx), sends here (tx), or both",
		CHOICE(port_mirror_directions)),
	PORT_KEY("sticky", sticky, "whether addresses learned at the port stay until they age out",
		SWITCH),
	PORT_KEY("macs", macs, "the only addresses that frames may come from; nothing for any",
		LIST(PORT_MACS_TEXT)),
	PORT_KEY("macs-arp", macs_arp,
		"whether ARP and neighbour discovery may speak for these addresses only", SWITCH),
	PORT_KEY("storm", storm,
		"how many broadcast, multicast and unknown frames a second the port may send; 0 "
		"for any",
		NUMBER(PORT_STORM_MAX), .value = "PPS"),
	PORT_KEY("fast-leave", fast_leave,
		"snooping: whether a host that leaves a group is the only one behind the port",
		SWITCH),
	PORT_KEY("mcast-router", mcast_router,
		"snooping: whether a multicast router is behind the port (auto: while one is heard)",
		CHOICE(port_mcast_routers)),
	{0},
};
/* clang-format on */

void
port_config_defaults(struct port_config *config)
{
	config->enabled = true;
	config->numa = PORT_NUMA_AUTO;
	config->learn = true;
	config->flood = true;
	config->mcast_flood = true;
	config->queue_out = QUEUE_OUT;
}
