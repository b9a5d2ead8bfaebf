/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mappings of guest memory, which sessions share.
 *
 * Thread safety: the library's event thread, except where noted.
 */
#ifndef SHUNT_DRIVERS_VHOST_MAPPING_H
#define SHUNT_DRIVERS_VHOST_MAPPING_H

#include <stdatomic.h>

#include "base/err.h"
#include "frame/dma_map.h"
#include "vring/memory.h"

struct vhost_dev;

/** The data path's mapping of a guest's memory; the last vhost_mapping_put() frees it. */
struct vhost_mapping {
	struct memory memory;
	struct dma_map_memory dma_map; /**< DMA map of the same memory, where devices use one */
	atomic_uint users;             /**< sessions and the port; event thread and control */
};

/**
 * Map the memory that the front end shares, or reuse the mapping of the last session.
 *
 * @return NULL with the reason; else a reference to be released by vhost_mapping_put()
 */
struct vhost_mapping *vhost_mapping_get(struct vhost_dev *dev, int vid, struct err *err);

/** Release a reference. NULL is ignored. Any thread but a polling lcore. */
void vhost_mapping_put(struct vhost_mapping *mapping);

/** Release the mapping kept for the next session. Control too, while closing. */
void vhost_mapping_release(struct vhost_dev *dev);

#endif
