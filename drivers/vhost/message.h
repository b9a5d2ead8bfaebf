/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user message as librte_vhost passes it to hooks: struct vhu_msg_context of its
 * vhost_user.h, kept stable for users of hooks. Its payload has grown once.
 * Private to drivers/vhost. The library's event thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_MESSAGE_H
#define SHUNT_DRIVERS_VHOST_MESSAGE_H

#include <stdint.h>

#include <rte_version.h>

#include "vring/memory.h"

enum {
	/* VHOST_USER_... */
	MESSAGE_GET_FEATURES = 1,
	MESSAGE_SET_FEATURES = 2,
	MESSAGE_SET_OWNER = 3,
	MESSAGE_RESET_OWNER = 4,
	MESSAGE_SET_MEM_TABLE = 5,
	MESSAGE_SET_LOG_BASE = 6,
	MESSAGE_SET_VRING_NUM = 8,
	MESSAGE_SET_VRING_ADDR = 9,
	MESSAGE_SET_VRING_BASE = 10,
	MESSAGE_GET_VRING_BASE = 11,
	MESSAGE_SET_VRING_KICK = 12,
	MESSAGE_SET_VRING_CALL = 13,
	MESSAGE_SET_PROTOCOL_FEATURES = 16,
	MESSAGE_GET_QUEUE_NUM = 17,
	MESSAGE_SEND_RARP = 19,
	MESSAGE_ADD_MEM_REG = 37,
	MESSAGE_REM_MEM_REG = 38,

	PROTOCOL_CONFIGURE_MEM_SLOTS = 15, /**< protocol feature: ADD_MEM_REG, REM_MEM_REG */
};

/** Bytes of the library's largest payload, a session of vhost-crypto. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define MESSAGE_PAYLOAD 632
#else
#define MESSAGE_PAYLOAD 1072
#endif

struct vhost_message_region {
	uint64_t gpa, size, uva, offset;
} __attribute__((packed));

/** SET_MEM_TABLE; in ADD_MEM_REG and REM_MEM_REG one region, without its count. */
struct vhost_message_memory {
	uint32_t n;
	uint32_t padding;
	struct vhost_message_region region[MEMORY_REGIONS_MAX];
} __attribute__((packed));

struct vhost_message_log {
	uint64_t size, offset;
} __attribute__((packed));

struct vhost_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /**< bytes of the payload received */
	union {
		uint64_t number;
		uint32_t index; /**< ring number */
		struct vhost_message_memory memory;
		struct vhost_message_log log;
		uint8_t space[MESSAGE_PAYLOAD];
	};
	int fd[MEMORY_REGIONS_MAX]; /**< owned by the library, which uses or closes them */
	int n_fds;
} __attribute__((packed));

#endif
