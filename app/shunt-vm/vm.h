/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated virtual machine: one vhost-user front end with its memory and queue pairs.
 *
 * vm_open() allocates memory and rings. vm_connect() connects to the back end, negotiates and
 * starts the rings. negotiate_stop() stops them as a migration does. vm_disconnect() closes the
 * connection. Of queue pair p, ring 2p receives and ring 2p + 1 sends.
 *
 * Thread safety: one thread at a time, and no thread uses the queues during a call.
 */
#ifndef SHUNT_VM_VM_H
#define SHUNT_VM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"
#include "memory.h"
#include "queue.h"

enum {
	VM_PAIRS_MAX = 128,
	VM_SOCKET_MAX = 108,
	VM_SLOT_MERGEABLE = 2048, /**< receive buffers when several may hold one frame */
};

/** Feature bits: virtio 1.2 sections 5.1.3 and 6, and those of vhost. */
enum vm_feature {
	NET_F_CSUM = 0,
	NET_F_GUEST_CSUM = 1,
	NET_F_MTU = 3,
	NET_F_GUEST_TSO4 = 7,
	NET_F_GUEST_TSO6 = 8,
	NET_F_HOST_TSO4 = 11,
	NET_F_HOST_TSO6 = 12,
	NET_F_MRG_RXBUF = 15,
	NET_F_MQ = 22,
	VHOST_F_LOG_ALL = 26,
	RING_F_INDIRECT_DESC = 28,
	RING_F_EVENT_IDX = 29,
	VHOST_F_PROTOCOL_FEATURES = 30,
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_RING_PACKED = 34,
	VIRTIO_F_IN_ORDER = 35,
};

/** Bits of vhost-user protocol features. */
enum vm_protocol {
	PROTOCOL_F_MQ = 0,
	PROTOCOL_F_LOG_SHMFD = 1,
	PROTOCOL_F_RARP = 2,
	PROTOCOL_F_REPLY_ACK = 3,
	PROTOCOL_F_NET_MTU = 4,
	PROTOCOL_F_MEM_SLOTS = 15,
	PROTOCOL_F_STATUS = 16,
};

/** Configuration of a VM, described by vm_keys. */
struct vm_config {
	char socket[VM_SOCKET_MAX];
	char name[32];
	char mac[18];
	int64_t queues, size, mtu, chain, regions;
	bool server, packed, mrg, tso, event_idx, in_order, indirect, csum, legacy;
};

/** Limits of frames, set by the mode. */
struct vm_frames {
	uint32_t receive, send; /**< longest frame in bytes, without virtio-net header */
	bool unsealed;          /**< memory may be truncated: a hostile test */
};

struct vm_log {
	int fd;
	uint64_t size; /**< of the bitmap in bytes, 0 while there is none */
	uint8_t *map;
};

struct vm {
	struct vm_config config;
	unsigned index;
	uint64_t mac; /**< as mac_load() */
	double timeout;
	int listener, sock; /**< -1 when closed */
	uint64_t offered, features;
	uint64_t protocol_offered, protocol;
	unsigned pairs;
	unsigned header; /**< size of the virtio-net header in bytes */
	bool running;
	bool hostile; /**< attacks: workers do not check its rings and connection */
	struct memory memory;
	struct vm_log log;
	struct queue queues[2 * VM_PAIRS_MAX];
};

extern const struct key vm_keys[];

/** Defaults of VM number index. */
void vm_defaults(struct vm_config *config, unsigned index);

/**
 * Parse "socket=PATH,key=value,..." or a path alone.
 *
 * @param config holds the defaults
 * @return 0, -EINVAL
 */
int vm_parse(struct vm_config *config, const char *text, struct err *err);

/**
 * Allocate memory and rings.
 *
 * @param timeout of the back end's answers, in seconds
 * @return 0, negative errno; vm_close() in any case
 */
int vm_open(struct vm *vm, const struct vm_config *config, const struct vm_frames *frames,
	unsigned index, double timeout, struct err *err);

/**
 * Connect to the back end, negotiate and start all rings.
 *
 * @return 0; negative errno, with the socket's path in err
 */
int vm_connect(struct vm *vm, struct err *err);

/** Close the connection and reset the rings. A listening socket stays open. */
void vm_disconnect(struct vm *vm);

/** Release everything; safe after vm_open() has failed. */
void vm_close(struct vm *vm);

/** @return receive queue of a queue pair */
static inline struct queue *
vm_rx(struct vm *vm, unsigned pair)
{
	return &vm->queues[2 * pair];
}

/** @return send queue of a queue pair */
static inline struct queue *
vm_tx(struct vm *vm, unsigned pair)
{
	return &vm->queues[2 * pair + 1];
}

/** @return true if a feature has been negotiated */
static inline bool
vm_has(const struct vm *vm, enum vm_feature feature)
{
	return vm->features >> feature & 1;
}

/** @return true if a protocol feature has been negotiated */
static inline bool
vm_speaks(const struct vm *vm, enum vm_protocol feature)
{
	return vm->protocol >> feature & 1;
}

#endif
