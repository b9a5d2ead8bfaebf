/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of a port's rings and sizes of their areas.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_DRIVERS_VHOST_RING_H
#define SHUNT_DRIVERS_VHOST_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "vring/vring.h"

/** Bytes of a ring's areas (virtio 1.2 sections 2.7 and 2.8). */
struct vhost_areas {
	uint64_t desc, avail, used; /**< packed: descriptors, driver's and device's events */
};

/** @return sizes of the areas of a ring with `size` descriptors */
static inline struct vhost_areas
vhost_ring_areas(uint64_t size, bool packed)
{
	if (packed)
		return (struct vhost_areas){
			.desc = size * sizeof(struct virtq_packed_desc),
			.avail = sizeof(struct virtq_packed_event),
			.used = sizeof(struct virtq_packed_event),
		};
	return (struct vhost_areas){
		.desc = size * sizeof(struct vring_desc),
		.avail = sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t),
		.used = sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) +
			sizeof(uint16_t),
	};
}

/** @return number of the ring on which the guest receives (virtio 1.2 section 5.1.2: even ones) */
static inline uint16_t
vhost_guest_rx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue);
}

/** @return number of the ring on which the guest transmits */
static inline uint16_t
vhost_guest_tx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue + 1);
}

#endif
