/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps guest memory for DMA by DPDK devices. */

/* rte_dev_dma_map() and rte_dev_dma_unmap(), experimental since 18.11; no other API is generic. */
#define ALLOW_EXPERIMENTAL_API
#include "frame/dma_map.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_memory.h>

enum { DMA_MAP_PAGE_MAX = 1 << 30 };

/* Guarded by dma_map_lock, under which only DPDK's internal locks are taken. */
static struct dma_map_device *dma_map_devices;
static struct dma_map_memory *dma_map_memories;
static pthread_mutex_t dma_map_lock = PTHREAD_MUTEX_INITIALIZER;

/**
 * Choose the page size with which memory is registered with DPDK. With IOVA as virtual addresses
 * any size that fits is valid; the largest one is best, since DPDK keeps a record of each page.
 */
static size_t
dma_map_page_size(const void *start, size_t size)
{
	uintptr_t bits = (uintptr_t)start | size | DMA_MAP_PAGE_MAX;

	return bits & -bits;
}

/** Register memory with DPDK as external memory, and map it for DMA. @return 0; negative errno */
static int
dma_map_bus_map(void *device, void *start, size_t size)
{
	if (rte_extmem_register(start, size, NULL, 0, dma_map_page_size(start, size)) < 0)
		return rte_errno != 0 ? -rte_errno : -ENOMEM;
	rte_errno = 0;
	if (rte_dev_dma_map(device, start, (uintptr_t)start, size) == 0)
		return 0;
	/* If the kernel refuses, DPDK logs the reason but does not set rte_errno. */
	int rc = rte_errno != 0 ? -rte_errno : -EFAULT;
	rte_extmem_unregister(start, size);
	return rc;
}

/** Undo dma_map_bus_map(). */
static void
dma_map_bus_unmap(void *device, void *start, size_t size)
{
	rte_dev_dma_unmap(device, start, (uintptr_t)start, size);
	rte_extmem_unregister(start, size);
}

const struct dma_map_ops dma_map_bus_ops = {dma_map_bus_map, dma_map_bus_unmap};

/** Unmap the first n ranges of a memory. Under the lock. */
static void
dma_map_unmap_ranges(struct dma_map_memory *memory, const struct dma_map_device *device, unsigned n)
{
	atomic_store_explicit(&memory->mapped, false, memory_order_relaxed);
	while (n-- > 0)
		device->ops->unmap(device->device, memory->range[n].start, memory->range[n].size);
}

/** @return true if an attached device takes memory with these page sizes. Under the lock. */
static bool
dma_map_is_allowed(const struct dma_map_memory *memory)
{
	for (const struct dma_map_device *device = dma_map_devices; device != NULL;
		device = device->next)
		if (device->all || memory->huge)
			return true;
	return false;
}

/** Map all of a memory or, with the reason in `error`, nothing. Under the lock. */
static void
dma_map_map(struct dma_map_memory *memory, const struct dma_map_device *device)
{
	memory->error = dma_map_is_allowed(memory) ? 0 : -EPERM;
	if (memory->error < 0)
		return;
	for (unsigned i = 0; i < memory->n; i++) {
		const struct dma_map_range *range = &memory->range[i];
		memory->error = device->ops->map(device->device, range->start, range->size);
		if (memory->error < 0) {
			dma_map_unmap_ranges(memory, device, i);
			return;
		}
	}
	atomic_store_explicit(&memory->mapped, true, memory_order_relaxed);
}

void
dma_map_attach(struct dma_map_device *device)
{
	pthread_mutex_lock(&dma_map_lock);
	device->next = dma_map_devices;
	dma_map_devices = device;
	for (struct dma_map_memory *memory = dma_map_memories; memory != NULL;
		memory = memory->next)
		if (!memory->mapped)
			dma_map_map(memory, device);
	pthread_mutex_unlock(&dma_map_lock);
}

void
dma_map_detach(struct dma_map_device *device)
{
	pthread_mutex_lock(&dma_map_lock);
	struct dma_map_device **link = &dma_map_devices;
	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	for (struct dma_map_memory *memory = dma_map_memories;
		memory != NULL && dma_map_devices == NULL; memory = memory->next) {
		if (memory->mapped)
			dma_map_unmap_ranges(memory, device, memory->n);
		memory->error = 0;
	}
	pthread_mutex_unlock(&dma_map_lock);
}

void
dma_map_add(struct dma_map_memory *memory)
{
	pthread_mutex_lock(&dma_map_lock);
	memory->error = 0;
	memory->mapped = false;
	memory->next = dma_map_memories;
	dma_map_memories = memory;
	if (dma_map_devices != NULL)
		dma_map_map(memory, dma_map_devices);
	pthread_mutex_unlock(&dma_map_lock);
}

void
dma_map_remove(struct dma_map_memory *memory)
{
	pthread_mutex_lock(&dma_map_lock);
	struct dma_map_memory **link = &dma_map_memories;
	while (*link != memory)
		link = &(*link)->next;
	*link = memory->next;
	if (memory->mapped)
		dma_map_unmap_ranges(memory, dma_map_devices, memory->n);
	pthread_mutex_unlock(&dma_map_lock);
}

void
dma_map_get_status(struct dma_map_status *status)
{
	*status = (struct dma_map_status){0};
	pthread_mutex_lock(&dma_map_lock);
	for (const struct dma_map_memory *memory = dma_map_memories; memory != NULL;
		memory = memory->next) {
		status->memories++;
		status->mapped += memory->mapped;
		status->error = memory->mapped ? status->error : memory->error;
	}
	pthread_mutex_unlock(&dma_map_lock);
}
