/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of ethdev ports, with their defaults. */
#include "ethdev/keys.h"

/* clang-format off: rows read better than blocks */
#define ETHDEV_KEY(word, member, text, ...)                                                        \
	{                                                                                          \
		.name = (word), .help = (text), .offset = offsetof(struct ethdev_config, member),  \
		__VA_ARGS__                                                                        \
	}
/* clang-format on */

static const char *const ethdev_zero_copies[] = {"auto", "on", "off", NULL};

/* clang-format off: rows read better than blocks */
static const struct key ethdev_keys[] = {
	ETHDEV_KEY("device", device,
		"DPDK device: a PCI address, or arguments such as net_af_packet0,iface=eth0",
		.kind = KEY_TEXT, .size = ETHDEV_DEVICE_MAX, .value = "DEVARGS"),
	ETHDEV_KEY("queues", queues, "number of receive queues and of transmit queues",
		.kind = KEY_NUMBER, .min = 1, .max = PORT_QUEUES_MAX),
	ETHDEV_KEY("mtu", mtu, "largest packet without Ethernet header; 0 = that of the device",
		.kind = KEY_NUMBER, .max = ETHDEV_MTU_MAX, .value = "BYTES"),
	ETHDEV_KEY("zero-copy", zero_copy,
		"whether the device reads frames in guest memory: of guests on hugepages (auto), "
		"of all guests (on), or of none (off)",
		.kind = KEY_CHOICE, .choices = ethdev_zero_copies),
	{0},
};
/* clang-format on */

/** Set the defaults of the keys that are not 0. */
static void
ethdev_defaults(void *driver_config)
{
	struct ethdev_config *config = driver_config;

	config->queues = 1;
}

const struct port_type ethdev_type = {
	.name = "ethdev",
	.help = "a device with a DPDK driver: NIC, af_packet, af_xdp, pcap, null",
	.keys = ethdev_keys,
	.defaults = ethdev_defaults,
};
