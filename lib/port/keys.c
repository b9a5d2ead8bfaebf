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
		.help = "NUMA node whose memory and lcores serve the port; -1 = any",
		.min = PORT_NUMA_AUTO,
		NUMBER(NUMA_LAST)},
	PORT_KEY("mac-limit", mac_limit, "limit of addresses learned at the port; 0 = none",
		NUMBER(MAC_LIMIT_MAX)),
	PORT_KEY("vlan", vlan,
		"access port: VLAN of the port, whose frames are untagged; 0 = no access port",
		NUMBER(VLAN_LAST)),
	PORT_KEY("trunk", trunk, "VLANs whose frames are tagged at the port, such as 10,20-29",
		LIST(PORT_TRUNK_MAX)),
	PORT_KEY("native", native, "trunk: VLAN of untagged frames; 0 = none", NUMBER(VLAN_LAST)),
	PORT_KEY("vlan-protocol", vlan_protocol,
		"type of the port's VLAN tags: customer (802.1Q) or service (802.1ad)",
		CHOICE(port_vlan_protocols)),
	PORT_KEY("policy", policy,
		"forwarding to other members of the uplink: direct (bridge), through the uplink "
		"(vepa), none (private), or there are none (passthru)",
		CHOICE(port_policies)),
	PORT_KEY("uplink", uplink,
		"port through which the policy reaches the network; empty = none", PORT),
	PORT_KEY("learn", learn, "whether source addresses are learned at the port", SWITCH),
	PORT_KEY("flood", flood, "whether frames to unknown addresses are flooded to the port",
		SWITCH),
	PORT_KEY("mcast-flood", mcast_flood, "whether multicast is flooded to the port", SWITCH),
	PORT_KEY("isolated", isolated, "whether the port is separated from other isolated ports",
		SWITCH),
	PORT_KEY("forward-reserved", forward_reserved,
		"reserved addresses 01:80:c2:00:00:00 to 0f that are forwarded, not dropped: "
		"last digits or names, such as lacp,lldp; empty = none",
		LIST(PORT_RESERVED_TEXT)),
	PORT_KEY("rate-in", rate_in,
		"limit of bits per second from the port, such as 100M, or off; frames above it "
		"are dropped",
		RATE),
	PORT_KEY("rate-out", rate_out,
		"limit of bits per second to the port, such as 100M, or off; frames above it wait",
		RATE),
	PORT_KEY("burst-in", burst_in, "rate-in: bytes accepted at once after a pause, or auto",
		BURST),
	PORT_KEY("burst-out", burst_out, "rate-out: bytes sent at once after a pause, or auto",
		BURST),
	PORT_KEY("queue-out", queue_out, "rate-out: limit of frames that wait, in buffers of 2 KB",
		NUMBER(QUEUE_OUT_MAX), .min = QUEUE_OUT_MIN),
	PORT_KEY("mirror", mirror, "port that gets copies of this port's frames; empty = none",
		PORT),
	PORT_KEY("mirror-direction", mirror_direction,
		"frames to copy: received from the port (rx), sent to the port (tx), or both",
		CHOICE(port_mirror_directions)),
	PORT_KEY("sticky", sticky, "whether addresses learned at the port stay until they age out",
		SWITCH),
	PORT_KEY("macs", macs, "only source addresses that the port may use; empty = any",
		LIST(PORT_MACS_TEXT)),
	PORT_KEY("macs-arp", macs_arp,
		"whether ARP and neighbour discovery may announce addresses of macs only", SWITCH),
	PORT_KEY("storm", storm,
		"limit of broadcast, multicast and unknown unicast frames per second from the "
		"port; 0 = none",
		NUMBER(PORT_STORM_MAX), .value = "PPS"),
	PORT_KEY("fast-leave", fast_leave,
		"snooping: whether a leave ends a membership at once: one host behind the port",
		SWITCH),
	PORT_KEY("mcast-router", mcast_router,
		"snooping: whether a multicast router is behind the port; auto = as detected",
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
