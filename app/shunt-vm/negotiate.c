/* SPDX-License-Identifier: BSD-3-Clause */
/* Negotiates with a back end as QEMU does. */
#include "negotiate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

/** ACKNOWLEDGE, DRIVER, FEATURES_OK and DRIVER_OK (virtio 1.2 2.1). */
enum { STATUS_READY = 1 | 2 | 8 | 4 };

/** Send a request; with REPLY_ACK wait for the acknowledgement. */
static int
negotiate_request(
	struct vm *vm, struct message *message, const int *fds, unsigned n_fds, struct err *err)
{
	bool acknowledged = vm_speaks(vm, PROTOCOL_F_REPLY_ACK);
	struct message answer;
	int code;

	message->flags = MESSAGE_VERSION | (acknowledged ? MESSAGE_NEED_REPLY : 0);
	code = message_send(vm->sock, message, fds, n_fds, vm->timeout, err);
	if (code != 0 || !acknowledged)
		return code;
	code = message_answer(
		vm->sock, message->request, &answer, sizeof(answer.number), vm->timeout, err);
	if (code == 0 && answer.number != 0)
		return err_set(err, EPROTO, "%s: refused by the back end (%" PRIu64 ")",
			message_name(message->request), answer.number);
	return code;
}

int
negotiate_get(struct vm *vm, enum message_request request, uint64_t *number, struct err *err)
{
	struct message message = {.request = request, .flags = MESSAGE_VERSION}, answer;
	int code = message_send(vm->sock, &message, NULL, 0, vm->timeout, err);

	if (code == 0)
		code = message_answer(
			vm->sock, request, &answer, sizeof(answer.number), vm->timeout, err);
	if (code == 0)
		*number = answer.number;
	return code;
}

int
negotiate_number(struct vm *vm, enum message_request request, uint64_t number, struct err *err)
{
	struct message message = {.request = request, .size = sizeof(number), .number = number};

	return negotiate_request(vm, &message, NULL, 0, err);
}

int
negotiate_state(struct vm *vm, enum message_request request, unsigned ring, uint32_t number,
	struct err *err)
{
	struct message message = {
		.request = request,
		.size = sizeof(message.state),
		.state = {ring, number},
	};

	return negotiate_request(vm, &message, NULL, 0, err);
}

int
negotiate_fd(struct vm *vm, enum message_request request, unsigned ring, int fd, struct err *err)
{
	const uint64_t no_fd = 1 << 8;
	struct message message = {
		.request = request,
		.size = sizeof(message.number),
		.number = fd < 0 ? ring | no_fd : ring,
	};

	return negotiate_request(vm, &message, &fd, fd < 0 ? 0 : 1, err);
}

int
negotiate_get_base(struct vm *vm, unsigned ring, uint32_t *base, struct err *err)
{
	struct message message = {
		.request = GET_VRING_BASE,
		.flags = MESSAGE_VERSION,
		.size = sizeof(message.state),
		.state = {.index = ring},
	};
	struct message answer;
	int code = message_send(vm->sock, &message, NULL, 0, vm->timeout, err);

	if (code == 0)
		code = message_answer(
			vm->sock, GET_VRING_BASE, &answer, sizeof(answer.state), vm->timeout, err);
	if (code == 0)
		*base = answer.state.number;
	return code;
}

/** @return features that the configuration of a VM requires */
static uint64_t
negotiate_wanted(const struct vm_config *config)
{
	uint64_t wanted = 0;

	if (!config->legacy)
		wanted |= BIT(VIRTIO_F_VERSION_1);
	if (config->packed)
		wanted |= BIT(VIRTIO_F_RING_PACKED);
	if (config->mrg)
		wanted |= BIT(NET_F_MRG_RXBUF);
	if (config->event_idx)
		wanted |= BIT(RING_F_EVENT_IDX);
	if (config->in_order)
		wanted |= BIT(VIRTIO_F_IN_ORDER);
	if (config->indirect)
		wanted |= BIT(RING_F_INDIRECT_DESC);
	if (config->csum || config->tso)
		wanted |= BIT(NET_F_CSUM) | BIT(NET_F_GUEST_CSUM);
	if (config->tso)
		wanted |= BIT(NET_F_HOST_TSO4) | BIT(NET_F_GUEST_TSO4) | BIT(NET_F_HOST_TSO6) |
			  BIT(NET_F_GUEST_TSO6);
	if (config->queues > 1)
		wanted |= BIT(NET_F_MQ) | BIT(VHOST_F_PROTOCOL_FEATURES);
	if (config->mtu > 0)
		wanted |= BIT(VHOST_F_PROTOCOL_FEATURES);
	return wanted;
}

/** @return name of a feature with the key that requires it, for errors */
static const char *
negotiate_feature_name(unsigned bit)
{
	static const char *const names[64] = {
		[NET_F_CSUM] = "VIRTIO_NET_F_CSUM (csum=on)",
		[NET_F_GUEST_CSUM] = "VIRTIO_NET_F_GUEST_CSUM (csum=on)",
		[NET_F_GUEST_TSO4] = "VIRTIO_NET_F_GUEST_TSO4 (tso=on)",
		[NET_F_GUEST_TSO6] = "VIRTIO_NET_F_GUEST_TSO6 (tso=on)",
		[NET_F_HOST_TSO4] = "VIRTIO_NET_F_HOST_TSO4 (tso=on)",
		[NET_F_HOST_TSO6] = "VIRTIO_NET_F_HOST_TSO6 (tso=on)",
		[NET_F_MRG_RXBUF] = "VIRTIO_NET_F_MRG_RXBUF (mrg=on)",
		[NET_F_MQ] = "VIRTIO_NET_F_MQ (queues=)",
		[VHOST_F_LOG_ALL] = "VHOST_F_LOG_ALL",
		[RING_F_INDIRECT_DESC] = "VIRTIO_F_INDIRECT_DESC (indirect=on)",
		[RING_F_EVENT_IDX] = "VIRTIO_F_EVENT_IDX (event-idx=on)",
		[VHOST_F_PROTOCOL_FEATURES] = "VHOST_USER_F_PROTOCOL_FEATURES",
		[VIRTIO_F_VERSION_1] = "VIRTIO_F_VERSION_1 (try legacy=on)",
		[VIRTIO_F_RING_PACKED] = "VIRTIO_F_RING_PACKED (packed=on)",
		[VIRTIO_F_IN_ORDER] = "VIRTIO_F_IN_ORDER (in-order=on)",
	};

	return names[bit] != NULL ? names[bit] : "a feature";
}

/** Negotiate the protocol features. */
static int
negotiate_protocol(struct vm *vm, struct err *err)
{
	const uint64_t own = BIT(PROTOCOL_F_MQ) | BIT(PROTOCOL_F_LOG_SHMFD) | BIT(PROTOCOL_F_RARP) |
			     BIT(PROTOCOL_F_REPLY_ACK) | BIT(PROTOCOL_F_NET_MTU) |
			     BIT(PROTOCOL_F_MEM_SLOTS) | BIT(PROTOCOL_F_STATUS);
	uint64_t wanted;
	int code = negotiate_get(vm, GET_PROTOCOL_FEATURES, &vm->protocol_offered, err);

	if (code != 0)
		return code;
	wanted = vm->protocol_offered & own;
	vm->protocol = 0; /* no acknowledgements before protocol features are negotiated */
	code = negotiate_number(vm, SET_PROTOCOL_FEATURES, wanted, err);
	vm->protocol = wanted;
	return code;
}

/** Check that the back end has enough queue pairs. */
static int
negotiate_pairs(struct vm *vm, struct err *err)
{
	uint64_t max = 1;
	int code = 0;

	if (vm_speaks(vm, PROTOCOL_F_MQ))
		code = negotiate_get(vm, GET_QUEUE_NUM, &max, err);
	if (code == 0 && vm->pairs > max)
		return err_set(err, EOPNOTSUPP,
			"GET_QUEUE_NUM: %u queue pairs are not offered, %" PRIu64 " are", vm->pairs,
			max);
	return code;
}

/** Send the MTU, if one is configured. */
static int
negotiate_mtu(struct vm *vm, struct err *err)
{
	if (vm->config.mtu == 0)
		return 0;
	if (!vm_speaks(vm, PROTOCOL_F_NET_MTU))
		return err_set(err, EOPNOTSUPP,
			"GET_PROTOCOL_FEATURES: VHOST_USER_PROTOCOL_F_NET_MTU (mtu=) is not offered");
	return negotiate_number(vm, NET_SET_MTU, (uint64_t)vm->config.mtu, err);
}

int
negotiate_features(struct vm *vm, struct err *err)
{
	uint64_t wanted = negotiate_wanted(&vm->config), missing;
	int code = negotiate_get(vm, GET_FEATURES, &vm->offered, err);

	vm->protocol = 0;
	if (code != 0)
		return code;
	missing = wanted & ~vm->offered;
	if (missing != 0)
		return err_set(err, EOPNOTSUPP, "GET_FEATURES: %s is not offered",
			negotiate_feature_name((unsigned)__builtin_ctzll(missing)));
	vm->features = wanted | (vm->offered & BIT(VHOST_F_PROTOCOL_FEATURES));
	if (vm_has(vm, VHOST_F_PROTOCOL_FEATURES))
		code = negotiate_protocol(vm, err);
	if (code == 0)
		code = negotiate_pairs(vm, err);
	if (code == 0) {
		struct message owner = {.request = SET_OWNER};

		code = negotiate_request(vm, &owner, NULL, 0, err);
	}
	return code != 0 ? code : negotiate_mtu(vm, err);
}

/** Send the memory regions one by one, by ADD_MEM_REG. */
static int
negotiate_add_regions(struct vm *vm, struct err *err)
{
	uint64_t max;
	int code = negotiate_get(vm, GET_MAX_MEM_SLOTS, &max, err);

	if (code == 0 && vm->memory.n_regions > max)
		return err_set(err, EOPNOTSUPP, "GET_MAX_MEM_SLOTS: %u regions, at most %" PRIu64,
			vm->memory.n_regions, max);
	for (unsigned i = 0; code == 0 && i < vm->memory.n_regions; i++) {
		const struct memory_region *region = &vm->memory.regions[i];
		struct message message = {
			.request = ADD_MEM_REG,
			.size = sizeof(message.add),
			.add.region = {region->gpa, region->size, region->uva, region->offset},
		};

		code = negotiate_request(vm, &message, &vm->memory.fd, 1, err);
	}
	return code;
}

int
negotiate_memory(struct vm *vm, struct err *err)
{
	struct message message = {.request = SET_MEM_TABLE};
	int fds[MESSAGE_FDS_MAX];

	if (vm_speaks(vm, PROTOCOL_F_MEM_SLOTS))
		return negotiate_add_regions(vm, err);
	message.memory.n = vm->memory.n_regions;
	message.size = (uint32_t)(offsetof(struct message_memory, regions) +
				  vm->memory.n_regions * sizeof(struct message_region));
	for (unsigned i = 0; i < vm->memory.n_regions; i++) {
		const struct memory_region *region = &vm->memory.regions[i];

		message.memory.regions[i] = (struct message_region){
			region->gpa, region->size, region->uva, region->offset};
		fds[i] = vm->memory.fd;
	}
	return negotiate_request(vm, &message, fds, vm->memory.n_regions, err);
}

int
negotiate_addr(struct vm *vm, unsigned ring, struct err *err)
{
	const struct queue *queue = &vm->queues[ring];
	struct message message = {
		.request = SET_VRING_ADDR,
		.size = sizeof(message.addr),
		.addr =
			{
				.index = ring,
				.flags = vm_has(vm, VHOST_F_LOG_ALL) ? VRING_ADDR_LOG : 0,
				.desc = (uintptr_t)queue->desc,
				.used = (uintptr_t)queue->used_ring,
				.avail = (uintptr_t)queue->avail_ring,
				.log = memory_gpa(&vm->memory, queue->config.packed
								       ? (void *)queue->pdesc
								       : (void *)queue->used_ring),
			},
	};

	return negotiate_request(vm, &message, NULL, 0, err);
}

int
negotiate_ring(struct vm *vm, unsigned ring, struct err *err)
{
	struct queue *queue = &vm->queues[ring];
	int code = negotiate_state(vm, SET_VRING_NUM, ring, queue->config.size, err);

	if (code == 0)
		code = negotiate_state(vm, SET_VRING_BASE, ring, queue_base(queue), err);
	if (code == 0)
		code = negotiate_addr(vm, ring, err);
	if (code == 0)
		code = negotiate_fd(vm, SET_VRING_CALL, ring, queue->callfd, err);
	if (code == 0)
		code = negotiate_fd(vm, SET_VRING_KICK, ring, queue->kickfd, err);
	return code;
}

int
negotiate_start(struct vm *vm, struct err *err)
{
	uint64_t features;
	int code = negotiate_number(vm, SET_FEATURES, vm->features, err);

	if (code == 0)
		code = negotiate_memory(vm, err);
	for (unsigned ring = 0; code == 0 && ring < 2 * vm->pairs; ring++)
		code = negotiate_ring(vm, ring, err);
	if (code == 0 && vm_speaks(vm, PROTOCOL_F_STATUS))
		code = negotiate_number(vm, SET_STATUS, STATUS_READY, err);
	/* Without protocol features rings start enabled (vhost-user, "Ring states"). */
	for (unsigned ring = 0; code == 0 && ring < 2 * vm->pairs; ring++)
		if (vm_has(vm, VHOST_F_PROTOCOL_FEATURES))
			code = negotiate_state(vm, SET_VRING_ENABLE, ring, 1, err);
	if (code == 0 && !vm_speaks(vm, PROTOCOL_F_REPLY_ACK))
		code = negotiate_get(vm, GET_FEATURES, &features, err);
	vm->running = code == 0;
	return code;
}

int
negotiate_stop(struct vm *vm, struct err *err)
{
	uint32_t base;
	int code = 0;

	vm->running = false;
	for (unsigned ring = 0; code == 0 && ring < 2 * vm->pairs; ring++) {
		struct queue *queue = &vm->queues[ring];

		code = negotiate_get_base(vm, ring, &base, err);
		if (code != 0)
			break;
		if (!queue_agrees(queue, base))
			return err_set(err, EPROTO,
				"GET_VRING_BASE: ring %u stopped at 0x%x, not where it completed "
				"(consumed up to 0x%x)",
				ring, base, queue_base(queue));
	}
	return code;
}

/** Create and map the dirty log, the first time only. */
static int
negotiate_log_open(struct vm *vm, struct err *err)
{
	uint64_t bits = (MEMORY_BASE + vm->memory.size) / MEMORY_PAGE;

	if (vm->log.size != 0)
		return 0;
	vm->log.size = (bits / 8 + MEMORY_PAGE) / MEMORY_PAGE * MEMORY_PAGE;
	vm->log.fd = memfd_create("shunt-vm-log", MFD_CLOEXEC);
	if (vm->log.fd >= 0 && ftruncate(vm->log.fd, (off_t)vm->log.size) == 0) {
		vm->log.map =
			mmap(NULL, vm->log.size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->log.fd, 0);
		if (vm->log.map != MAP_FAILED)
			return 0;
	}
	vm->log.size = 0;
	vm->log.map = NULL;
	return err_set(err, errno, "no memory for the dirty log: %s", strerror(errno));
}

/** Send the dirty log to the back end. */
static int
negotiate_log_base(struct vm *vm, struct err *err)
{
	struct message message = {
		.request = SET_LOG_BASE,
		.flags = MESSAGE_VERSION,
		.size = sizeof(message.log),
		.log = {.size = vm->log.size},
	};
	struct message answer;
	int code = message_send(vm->sock, &message, &vm->log.fd, 1, vm->timeout, err);

	/* SET_LOG_BASE is always answered; back ends differ in the payload. */
	return code != 0 ? code
			 : message_answer(vm->sock, SET_LOG_BASE, &answer, MESSAGE_ANY_SIZE,
				   vm->timeout, err);
}

int
negotiate_log(struct vm *vm, bool on, struct err *err)
{
	int code = 0;

	if (!(vm->offered & BIT(VHOST_F_LOG_ALL)) || !vm_speaks(vm, PROTOCOL_F_LOG_SHMFD))
		return err_set(err, EOPNOTSUPP,
			"GET_FEATURES: VHOST_F_LOG_ALL with LOG_SHMFD is not offered");
	code = negotiate_log_open(vm, err);
	if (code == 0 && on)
		code = negotiate_log_base(vm, err);
	if (on)
		vm->features |= BIT(VHOST_F_LOG_ALL);
	else
		vm->features &= ~BIT(VHOST_F_LOG_ALL);
	if (code == 0)
		code = negotiate_number(vm, SET_FEATURES, vm->features, err);
	for (unsigned ring = 0; code == 0 && ring < 2 * vm->pairs; ring++)
		code = negotiate_addr(vm, ring, err);
	return code;
}

int
negotiate_rarp(struct vm *vm, struct err *err)
{
	if (!vm_speaks(vm, PROTOCOL_F_RARP))
		return err_set(err, EOPNOTSUPP, "SEND_RARP: not offered");
	return negotiate_number(vm, SEND_RARP, vm->mac, err);
}
