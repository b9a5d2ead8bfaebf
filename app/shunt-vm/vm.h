/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual machine without the machine: one vhost-user front end with its memory and queue pairs.
 *
 * vm_open() makes memory and rings, vm_connect() reaches the back end, negotiates and starts the
 * rings, vm_stop_rings() stops them as a migration does, vm_disconnect() closes. Ring 2p receives,
 * ring 2p + 1 sends, for pair p.
 *
 * Thread safety: control calls on one thread, with nobody using the queues meanwhile.
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

/** Bit numbers of virtio-net features, virtio 1.2 section 5.1.3 and 6. */
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

/** Bit numbers of protocol features. */
enum vm_protocol {
	PROTOCOL_F_MQ = 0,
	PROTOCOL_F_LOG_SHMFD = 1,
	PROTOCOL_F_RARP = 2,
	PROTOCOL_F_REPLY_ACK = 3,
	PROTOCOL_F_NET_MTU = 4,
	PROTOCOL_F_MEM_SLOTS = 15,
	PROTOCOL_F_STATUS = 16,
};

/** What the user asked for, described by vm_keys. */
struct vm_config {
	char socket[VM_SOCKET_MAX];
	char name[32];
	char mac[18];
	int64_t queues, size, mtu, chain, regions;
	bool server, packed, mrg, tso, event_idx, in_order, indirect, csum, legacy;
};

/** How large frames get, of the mode. */
struct vm_frames {
	uint32_t receive, send; /**< bytes without virtio-net header */
	bool unsealed;          /**< memory may be truncated: a hostile test */
};

struct vm_log {
	int fd;
	uint64_t size; /**< bytes of the bitmap, 0 while there is none */
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
	unsigned header; /**< bytes of the virtio-net header */
	bool running;
	bool hostile; /**< on purpose out of order: nobody looks after it */
	struct memory memory;
	struct vm_log log;
	struct queue queues[2 * VM_PAIRS_MAX];
};

extern const struct key vm_keys[];

/** Defaults of VM number index. */
void vm_defaults(struct vm_config *config, unsigned index);

/**
 * Read "socket=PATH,key=value,..." or a path alone.
 *
 * @param config holds defaults
 * @return 0, -EINVAL
 */
int vm_parse(struct vm_config *config, const char *text, struct err *err);

/** Make memory and rings. @return 0, negative errno */
int vm_open(struct vm *vm, const struct vm_config *config, const struct vm_frames *frames,
	unsigned index, double timeout, struct err *err);

/** Reach the back end, negotiate, start all rings. Errors name the socket. */
int vm_connect(struct vm *vm, struct err *err);

/** Forget the back end: close the connection, lay the rings out anew. A listener stays. */
void vm_disconnect(struct vm *vm);

/** Release everything; safe on a VM that did not open. */
void vm_close(struct vm *vm);

static inline struct queue *
vm_rx(struct vm *vm, unsigned pair)
{
	return &vm->queues[2 * pair];
}

static inline struct queue *
vm_tx(struct vm *vm, unsigned pair)
{
	return &vm->queues[2 * pair + 1];
}

static inline bool
vm_has(const struct vm *vm, enum vm_feature feature)
{
	return vm->features >> feature & 1;
}

static inline bool
vm_speaks(const struct vm *vm, enum vm_protocol feature)
{
	return vm->protocol >> feature & 1;
}

#endif
