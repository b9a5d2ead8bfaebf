/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Structures of a packed ring in guest memory.
 *
 * Thread safety: none of its own; access as vring.h says.
 */
#ifndef SHUNT_VRING_PACKED_LAYOUT_H
#define SHUNT_VRING_PACKED_LAYOUT_H

#include <stdint.h>

/**
 * A descriptor of a packed ring, virtio 1.2 section 2.8.13. Length, buffer id and flags share a
 * word, so that one load or store moves them together with the ownership flags.
 */
struct virtq_packed_desc {
	uint64_t addr;
	union {
		struct {
			uint32_t len;
			uint16_t id;
			uint16_t flags;
		};
		uint64_t word;
	};
};

/** Event suppression of a packed ring, virtio 1.2 section 2.8.14. */
struct virtq_packed_event {
	union {
		struct {
			uint16_t off_wrap; /**< descriptor index, wrap counter in bit 15 */
			uint16_t flags;
		};
		uint32_t word;
	};
};

_Static_assert(sizeof(struct virtq_packed_desc) == 16 && sizeof(struct virtq_packed_event) == 4,
	"as virtio lays them out");

#endif
