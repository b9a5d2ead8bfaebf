/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA map: maps guest memory for the DMA of NICs, so that they can send frames from guest memory
 * without a copy.
 *
 * Mapped memory is pinned. A VM that returns pages to its host (balloon, free page reporting) gets
 * different pages when it takes them again, but devices would go on reading the old ones. Front
 * ends do not return huge pages; memory in small pages is mapped only for devices with `all` set.
 *
 * Memory is mapped while there are both a device and the memory, in whichever order they are added.
 * DPDK puts all devices behind one IOMMU container: memory mapped through one device is accessible
 * to all, and stays mapped until the last device is detached. A memory is mapped as a whole or not
 * at all.
 *
 * Thread safety: any thread but polling lcores, under an internal lock that is held while memory is
 * mapped. Polling lcores read only dma_map_memory.mapped.
 */
#ifndef SHUNT_FRAME_DMA_MAP_H
#define SHUNT_FRAME_DMA_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { DMA_MAP_RANGES_MAX = 8 };

/** Contiguous pages of this process's address space. */
struct dma_map_range {
	void *start; /**< 4096-byte aligned */
	size_t size; /**< a multiple of 4096 */
};

/** Memory of one guest. Owned by the caller; must stay valid until dma_map_remove(). */
struct dma_map_memory {
	/* Written under the lock, read by polling lcores. */
	atomic_bool mapped;

	/* Written by the caller before dma_map_add(). */
	unsigned n;
	bool huge; /**< all in huge pages, which front ends do not return */
	struct dma_map_range range[DMA_MAP_RANGES_MAX];

	/* Under the lock. */
	int error; /**< negative errno of the last attempt; 0 = mapped, or no device is attached */
	struct dma_map_memory *next;
};

/** Functions that map and unmap memory for a device. */
struct dma_map_ops {
	/** Map `size` bytes. @return 0; negative errno */
	int (*map)(void *device, void *start, size_t size);
	void (*unmap)(void *device, void *start, size_t size);
};

/** Operations for devices on a DPDK bus: `device` is a struct rte_device. */
extern const struct dma_map_ops dma_map_bus_ops;

/** A device that reads memory. Owned by the caller; must stay valid until dma_map_detach(). */
struct dma_map_device {
	/* Written by the caller before dma_map_attach(). */
	const struct dma_map_ops *ops;
	void *device;
	bool all; /**< map memory in small pages too */

	/* Under the lock. */
	struct dma_map_device *next;
};

/** Number of guest memories added, and of those that are mapped. */
struct dma_map_status {
	unsigned memories;
	unsigned mapped;
	int error; /**< negative errno of a memory that is not mapped; 0 = all are mapped */
};

/** Attach a device and map present and future memory for it. May take long: pages are pinned. */
void dma_map_attach(struct dma_map_device *device);

/** Detach a device, which no longer reads. After the last one all memory is unmapped. */
void dma_map_detach(struct dma_map_device *device);

/** Add memory and map it for present and future devices. May take long, as dma_map_attach(). */
void dma_map_add(struct dma_map_memory *memory);

/** Remove memory, which no device reads any more, and unmap it. */
void dma_map_remove(struct dma_map_memory *memory);

/** Get the status of the DMA map. @param status receives it */
void dma_map_get_status(struct dma_map_status *status);

#endif
