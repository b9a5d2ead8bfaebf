/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of vhost ports, with their defaults. */
#include "vhost/keys.h"

/* clang-format off: rows read better than blocks */
#define VHOST_KEY(word, member, text, ...)                                                         \
	{                                                                                          \
		.name = (word), .help = (text), .offset = offsetof(struct vhost_config, member),   \
		__VA_ARGS__                                                                        \
	}
/* clang-format on */

enum { VHOST_PERM_DEFAULT = 0660, VHOST_PERM_MAX = 0777 };

static const char *const vhost_modes[] = {
	[VHOST_SERVER] = "server", [VHOST_CLIENT] = "client", NULL};

static const char *const vhost_datapaths[] = {
	[VHOST_DATAPATH_AUTO] = "auto", [VHOST_DATAPATH_LIBRARY] = "library", NULL};

/* clang-format off: rows read better than blocks */
static const struct key vhost_keys[] = {
	VHOST_KEY("socket", socket, "vhost-user socket that QEMU and the switch share",
		.kind = KEY_TEXT, .size = VHOST_PATH_MAX, .value = "PATH"),
	VHOST_KEY("mode", mode,
		"side that listens: the switch (server), or QEMU, and the switch connects (client)",
		.kind = KEY_CHOICE, .choices = vhost_modes),
	VHOST_KEY("queues", queues, "number of queue pairs that the guest may use",
		.kind = KEY_NUMBER, .min = 1, .max = PORT_QUEUES_MAX),
	VHOST_KEY("packed", packed, "whether packed virtqueues are offered", .kind = KEY_SWITCH),
	VHOST_KEY("tso", tso, "whether TCP segmentation offload is offered, in both directions",
		.kind = KEY_SWITCH),
	VHOST_KEY("csum", csum, "whether checksum offload is offered, in both directions",
		.kind = KEY_SWITCH),
	VHOST_KEY("mtu", mtu,
		"largest packet without Ethernet header, offered to the guest; 0 = any",
		.kind = KEY_NUMBER, .max = VHOST_MTU_MAX, .value = "BYTES"),
	VHOST_KEY("owner", owner, "user and group of the socket that the switch creates",
		.kind = KEY_TEXT, .size = VHOST_OWNER_MAX, .value = "USER:GROUP"),
	VHOST_KEY("perm", perm, "permissions of the socket that the switch creates",
		.kind = KEY_OCTAL, .max = VHOST_PERM_MAX, .value = "MODE"),
	VHOST_KEY("datapath", datapath,
		"code that moves frames: the switch where possible (auto), or librte_vhost",
		.kind = KEY_CHOICE, .choices = vhost_datapaths),
	{0},
};
/* clang-format on */

/** Set the defaults of the keys that are not 0. */
static void
vhost_defaults(void *driver_config)
{
	struct vhost_config *config = driver_config;

	config->mode = VHOST_SERVER;
	config->queues = 1;
	config->tso = true;
	config->csum = true;
	config->perm = VHOST_PERM_DEFAULT;
}

const struct port_type vhost_type = {
	.name = "vhost",
	.help = "a virtual machine's virtio-net device, over a vhost-user socket",
	.keys = vhost_keys,
	.defaults = vhost_defaults,
};
