/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Layout of virtqueues in memory: virtio 1.2 sections 2.7 (split) and 2.8 (packed), and of the
 * virtio-net header, section 5.1.6. Little-endian machines only, like the rest of Shunt.
 *
 * Thread safety: layouts only. The driver (this program) writes descriptors, the available ring and
 * the driver event suppression structure; the device (the back end) writes the used ring, used
 * descriptors of packed rings and the device event suppression structure.
 */
#ifndef SHUNT_VM_VRING_H
#define SHUNT_VM_VRING_H

#include <stdint.h>

enum {
	VRING_DESC_NEXT = 1,
	VRING_DESC_WRITE = 2,
	VRING_DESC_INDIRECT = 4,
	VRING_PACKED_AVAIL = 1 << 7,
	VRING_PACKED_USED = 1 << 15,
	VRING_NO_INTERRUPT = 1, /**< in avail.flags */
	VRING_NO_NOTIFY = 1,    /**< in used.flags */
	VRING_EVENT_ENABLE = 0, /**< packed event flags */
	VRING_EVENT_DISABLE = 1,
	VRING_EVENT_DESC = 2,
	VRING_SIZE_MAX = 32768,
	VRING_ALIGN = 4096,
};

struct split_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct split_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /**< queue size entries, then used_event */
};

struct split_used_elem {
	uint32_t id;
	uint32_t len;
};

struct split_used {
	uint16_t flags;
	uint16_t idx;
	struct split_used_elem ring[]; /**< queue size entries, then avail_event (16 bits) */
};

struct packed_desc {
	uint64_t addr;
	union {
		struct {
			uint32_t len;
			uint16_t id;
			uint16_t flags;
		};
		uint64_t word; /**< len, id and flags, for a single store */
	};
};

struct packed_event {
	uint16_t off_wrap;
	uint16_t flags;
};

_Static_assert(sizeof(struct split_desc) == 16 && sizeof(struct packed_desc) == 16,
	"descriptors have 16 bytes");

enum {
	NET_NEEDS_CSUM = 1,
	NET_DATA_VALID = 2,
	NET_GSO_NONE = 0,
	NET_GSO_TCPV4 = 1,
	NET_HEADER = 12,
	NET_HEADER_SHORT = 10, /**< legacy without mergeable buffers: no num_buffers */
};

struct net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

_Static_assert(sizeof(struct net_header) == NET_HEADER, "as in the standard");

#endif
