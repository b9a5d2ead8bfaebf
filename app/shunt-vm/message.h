/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the vhost-user protocol, sent and received as the front end. Each call that waits has
 * a timeout and fails when the back end does not answer within it.
 *
 * Errors name the request ("GET_FEATURES: no answer within 5 s"); callers prepend the socket.
 *
 * Thread safety: a socket belongs to one thread at a time.
 */
#ifndef SHUNT_VM_MESSAGE_H
#define SHUNT_VM_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum message_request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_LOG_BASE = 6,
	SET_LOG_FD = 7,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	SEND_RARP = 19,
	NET_SET_MTU = 20,
	SET_BACKEND_REQ_FD = 21,
	GET_MAX_MEM_SLOTS = 36,
	ADD_MEM_REG = 37,
	SET_STATUS = 39,
	GET_STATUS = 40,
};

enum {
	MESSAGE_VERSION = 1,
	MESSAGE_REPLY = 1 << 2,
	MESSAGE_NEED_REPLY = 1 << 3,
	MESSAGE_HEADER = 12,
	MESSAGE_FDS_MAX = 16,
	MESSAGE_REGIONS_MAX = 16, /**< above the limit of the protocol (8): for hostile tests */
	VRING_ADDR_LOG = 1,       /**< in message_addr.flags */
};

#define MESSAGE_ANY_SIZE UINT32_MAX

struct message_state {
	uint32_t index;
	uint32_t number;
};

struct message_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;
};

struct message_region {
	uint64_t gpa, size, uva, offset;
};

struct message_memory {
	uint32_t n;
	uint32_t padding;
	struct message_region regions[MESSAGE_REGIONS_MAX];
};

struct message_add_region {
	uint64_t padding;
	struct message_region region;
};

struct message_log {
	uint64_t size, offset;
};

struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /**< of the payload in bytes */
	union {
		uint64_t number;
		struct message_state state;
		struct message_addr addr;
		struct message_memory memory;
		struct message_add_region add;
		struct message_log log;
	};
} __attribute__((packed));

/** @return "GET_FEATURES", or "request 77"; valid until the next call on this thread */
const char *message_name(uint32_t request);

/**
 * Send a message.
 *
 * @param fds n_fds file descriptors passed with it; the caller keeps ownership
 * @param seconds timeout
 * @return 0; negative errno with the reason in err
 */
int message_send(int sock, const struct message *message, const int *fds, unsigned n_fds,
	double seconds, struct err *err);

/**
 * Wait for the answer to a request.
 *
 * @param answer receives the answer; its payload is at most that of struct message
 * @param size of the payload that is required; MESSAGE_ANY_SIZE: any that fits
 * @param seconds timeout
 * @return 0; negative errno with the reason in err
 */
int message_answer(int sock, uint32_t request, struct message *answer, uint32_t size,
	double seconds, struct err *err);

/** Send raw bytes, such as a part of a message. @return bytes sent, negative errno */
int message_send_raw(int sock, const void *bytes, size_t length);

#endif
