/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulated VM: memory, queues and connection of one front end. */
#include "vm.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mac.h"
#include "connection.h"
#include "negotiate.h"

enum {
	SIZE_DEFAULT = 1024,
	CHAIN_MAX = 64,
	MTU_MAX = 65535,
	SKIP_PAGES = 32 /* upper bound: 128 KB, the span of the sets of a usual L2 cache */
};

#define FIELD(kind_, name_, field_, ...)                                                           \
	{                                                                                          \
		.name = (name_), .kind = (kind_), .offset = offsetof(struct vm_config, field_),    \
		.size = sizeof(((struct vm_config *)0)->field_), ##__VA_ARGS__                     \
	}

const struct key vm_keys[] = {
	FIELD(KEY_TEXT, "socket", socket),
	FIELD(KEY_TEXT, "name", name),
	FIELD(KEY_TEXT, "mac", mac),
	FIELD(KEY_SWITCH, "server", server),
	FIELD(KEY_NUMBER, "queues", queues, .min = 1, .max = VM_PAIRS_MAX),
	FIELD(KEY_NUMBER, "size", size, .min = 16, .max = VRING_SIZE_MAX),
	FIELD(KEY_SWITCH, "packed", packed),
	FIELD(KEY_SWITCH, "mrg", mrg),
	FIELD(KEY_SWITCH, "tso", tso),
	FIELD(KEY_SWITCH, "csum", csum),
	FIELD(KEY_SWITCH, "event-idx", event_idx),
	FIELD(KEY_SWITCH, "in-order", in_order),
	FIELD(KEY_SWITCH, "indirect", indirect),
	FIELD(KEY_SWITCH, "legacy", legacy),
	FIELD(KEY_NUMBER, "mtu", mtu, .min = 68, .max = MTU_MAX),
	FIELD(KEY_NUMBER, "chain", chain, .min = 1, .max = CHAIN_MAX),
	FIELD(KEY_NUMBER, "regions", regions, .min = 1, .max = MEMORY_REGIONS_MAX),
	{.name = NULL},
};

void
vm_defaults(struct vm_config *config, unsigned index)
{
	*config = (struct vm_config){.queues = 1, .size = SIZE_DEFAULT, .chain = 1, .regions = 1};
	snprintf(config->name, sizeof(config->name), "vm%u", index);
	snprintf(config->mac, sizeof(config->mac), "02:%02x:%02x:00:00:00", index >> 8 & 0xff,
		index & 0xff);
}

/** Parse a word of the form key=value. */
static int
vm_parse_word(struct vm_config *config, char *word, struct err *err)
{
	char *value = strchr(word, '=');
	const struct key *key;

	if (value == NULL)
		return err_set(err, EINVAL, "'%s': expected key=value", word);
	*value++ = '\0';
	key = key_find(vm_keys, word);
	if (key == NULL)
		return err_set(err, EINVAL, "'%s' is no key of a VM", word);
	return key_set(key, config, value, err);
}

/** Check the keys of a VM together. */
static int
vm_check(const struct vm_config *config, struct err *err)
{
	uint64_t mac;

	if (config->socket[0] == '\0')
		return err_set(err, EINVAL, "socket=PATH is missing");
	if (mac_parse(config->mac, &mac) != 0 || mac_is_group(mac))
		return err_set(err, EINVAL, "mac: '%s' is no unicast address", config->mac);
	if ((config->size & (config->size - 1)) != 0)
		return err_set(err, EINVAL, "size: %d is no power of 2", (int)config->size);
	if ((config->chain & (config->chain - 1)) != 0)
		return err_set(err, EINVAL, "chain: %d is no power of 2", (int)config->chain);
	if (config->chain * 2 > config->size)
		return err_set(err, EINVAL, "chain: must be at most half the ring's size");
	if (config->legacy && (config->packed || config->in_order))
		return err_set(
			err, EINVAL, "legacy: packed rings and in-order need VIRTIO_F_VERSION_1");
	return 0;
}

int
vm_parse(struct vm_config *config, const char *text, struct err *err)
{
	char words[KEY_VALUE_MAX], *next = words;
	bool path = strchr(text, '=') == NULL || (text[0] == '/' || text[0] == '.');
	int code = 0;

	if ((size_t)snprintf(words, sizeof(words), "%s%s", path ? "socket=" : "", text) >=
		sizeof(words))
		return err_set(err, EINVAL, "too long");
	while (code == 0 && next != NULL)
		code = vm_parse_word(config, strsep(&next, ","), err);
	return code != 0 ? code : vm_check(config, err);
}

/** @return header size: num_buffers exists with VERSION_1 or MRG_RXBUF (virtio 1.2 5.1.6) */
static unsigned
vm_header(const struct vm_config *config)
{
	return config->legacy && !config->mrg ? NET_HEADER_SHORT : NET_HEADER;
}

/** @return configuration of the receive queues (write) or the send queues of a VM */
static struct queue_config
vm_queue_config(const struct vm *vm, bool write, const struct vm_frames *frames)
{
	const struct vm_config *config = &vm->config;
	/* Without VERSION_1 (or ANY_LAYOUT) the header has its own descriptor. */
	bool apart = config->legacy && (!config->mrg || !write);
	uint16_t segments = write ? 1 : (uint16_t)config->chain;
	uint32_t space = write && config->mrg ? VM_SLOT_MERGEABLE
			 : write              ? frames->receive + vm->header
					      : frames->send + vm->header;

	if ((apart || (config->indirect && !write)) && segments < 2)
		segments = 2;
	if (space < VM_SLOT_MERGEABLE)
		space = VM_SLOT_MERGEABLE;
	return (struct queue_config){
		.packed = config->packed,
		.event_idx = config->event_idx,
		.in_order = config->in_order,
		.indirect = config->indirect && !write,
		.write = write,
		.size = (uint16_t)config->size,
		.segments = segments,
		.header = apart ? (uint16_t)vm->header : 0,
		.slot_bytes = space,
	};
}

/** Create a queue with its eventfds. */
static int
vm_open_queue(struct vm *vm, unsigned ring, const struct queue_config *config, struct err *err)
{
	struct queue *queue = &vm->queues[ring];

	if (queue_open(queue, config, &vm->memory) != 0)
		return err_set(err, ENOMEM, "%s: no memory for ring %u", vm->config.socket, ring);
	queue->kickfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue->callfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->kickfd < 0 || queue->callfd < 0)
		return err_set(err, errno, "%s: eventfd: %s", vm->config.socket, strerror(errno));
	return 0;
}

/**
 * @return bytes of memory before a VM's rings. Rings of guests begin at any page. If those of all
 * VMs began at the same offset of a hugepage, the indexes of hundreds of VMs would share a few sets
 * of the larger caches, too.
 */
static uint64_t
vm_skip(unsigned index)
{
	return (uint64_t)(index % SKIP_PAGES) * MEMORY_PAGE;
}

int
vm_open(struct vm *vm, const struct vm_config *config, const struct vm_frames *frames,
	unsigned index, double timeout, struct err *err)
{
	struct queue_config shape[2];
	int code;

	*vm = (struct vm){.config = *config, .index = index, .timeout = timeout};
	vm->sock = vm->listener = vm->log.fd = vm->memory.fd = -1;
	for (unsigned ring = 0; ring < 2 * VM_PAIRS_MAX; ring++)
		vm->queues[ring].kickfd = vm->queues[ring].callfd = -1;
	mac_parse(config->mac, &vm->mac);
	vm->pairs = (unsigned)config->queues;
	vm->header = vm_header(config);
	shape[0] = vm_queue_config(vm, true, frames);
	shape[1] = vm_queue_config(vm, false, frames);
	code = memory_open(&vm->memory,
		vm->pairs * (queue_bytes(&shape[0]) + queue_bytes(&shape[1])) + MEMORY_PAGE +
			vm_skip(index),
		(unsigned)config->regions, !frames->unsealed, err);
	if (code != 0)
		return err_prefix(err, "%s", config->socket);
	memory_skip(&vm->memory, vm_skip(index));
	for (unsigned ring = 0; code == 0 && ring < 2 * vm->pairs; ring++)
		code = vm_open_queue(vm, ring, &shape[ring % 2], err);
	if (code == 0 && config->server) {
		vm->listener = connection_listen(config->socket, err);
		code = vm->listener < 0 ? err_prefix(err, "%s", config->socket) : 0;
	}
	return code;
}

int
vm_connect(struct vm *vm, struct err *err)
{
	int code;

	vm->sock = vm->config.server ? connection_accept(vm->listener, vm->timeout, err)
				     : connection_connect(vm->config.socket, vm->timeout, err);
	code = vm->sock < 0 ? vm->sock : negotiate_features(vm, err);
	if (code == 0)
		code = negotiate_start(vm, err);
	return code == 0 ? 0 : err_prefix(err, "%s", vm->config.socket);
}

void
vm_disconnect(struct vm *vm)
{
	if (vm->sock >= 0)
		close(vm->sock);
	vm->sock = -1;
	vm->running = false;
	for (unsigned ring = 0; ring < 2 * vm->pairs; ring++)
		if (vm->queues[ring].desc != NULL)
			queue_reset(&vm->queues[ring]);
}

/** Close a queue with its eventfds. */
static void
vm_close_queue(struct queue *queue)
{
	if (queue->kickfd >= 0)
		close(queue->kickfd);
	if (queue->callfd >= 0)
		close(queue->callfd);
	queue_close(queue);
}

void
vm_close(struct vm *vm)
{
	if (vm->sock >= 0)
		close(vm->sock);
	if (vm->listener >= 0) {
		close(vm->listener);
		unlink(vm->config.socket);
	}
	if (vm->log.map != NULL)
		munmap(vm->log.map, vm->log.size);
	if (vm->log.fd >= 0)
		close(vm->log.fd);
	for (unsigned ring = 0; ring < 2 * vm->pairs; ring++)
		vm_close_queue(&vm->queues[ring]);
	memory_close(&vm->memory);
}
