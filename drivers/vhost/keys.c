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
	VHOST_KEY("socket", socket, "the vhost-user socket that QEMU and the switch share",
		.kind = KEY_TEXT, .size = VHOST_PATH_MAX, .value = "PATH"),
	VHOST_KEY("mode", mode,
		"which side listens: QEMU, and the switch connects (client); or the switch (server)",
		.kind = KEY_CHOICE, .choices = vhost_modes),
	VHOST_KEY("queues", queues, "how many pairs of queues the guest may use",
		.kind = KEY_NUMBER, .min = 1, .max = PORT_QUEUES_MAX),
	VHOST_KEY("packed", packed, "whether to offer packed virtqueues", .kind = KEY_SWITCH),
	VHOST_KEY("tso", tso, "whether to offer segmentation offload in both directions",
		.kind = KEY_SWITCH),
	VHOST_KEY("csum", csum, "whether to offer checksum offload in both directions",
		.kind = KEY_SWITCH),
	VHOST_KEY("mtu", mtu,
		"the largest packet, without the Ethernet header; told to the guest; 0 for any",
		.kind = KEY_NUMBER, .max = VHOST_MTU_MAX, .value = "BYTES"),
	VHOST_KEY("owner", owner, "user and group of the socket that the switch makes",
		.kind = KEY_TEXT, .size = VHOST_OWNER_MAX, .value = "USER:GROUP"),
	VHOST_KEY("perm", perm, "the permissions of the socket that the switch makes",
		.kind = KEY_OCTAL, .max = VHOST_PERM_MAX, .value = "MODE"),
	VHOST_KEY("datapath", datapath,
		"what moves frames: the switch where it can (auto), or librte_vhost, to compare",
		.kind = KEY_CHOICE, .choices = vhost_datapaths),
	{0},
};
/* clang-format on */

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
