/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_dev_dma_map() and its opposite: there since 18.11, and nothing else maps for any device. */
#define ALLOW_EXPERIMENTAL_API
#include "frame/reach.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_memory.h>

enum { REACH_PAGE_MAX = 1 << 30 };

/* Guarded by reach_lock, a leaf but for what DPDK takes inside. */
static struct reach_device *reach_devices;
static struct reach_memory *reach_memories;
static pthread_mutex_t reach_lock = PTHREAD_MUTEX_INITIALIZER;

/**
 * The page size to register with. With addresses as IOVA any that fits will do, and DPDK keeps
 * a record of each page.
 */
static size_t
reach_page(const void *start, size_t size)
{
	uintptr_t bits = (uintptr_t)start | size | REACH_PAGE_MAX;

	return bits & -bits;
}

static int
reach_bus_map(void *device, void *start, size_t size)
{
	if (rte_extmem_register(start, size, NULL, 0, reach_page(start, size)) < 0)
		return rte_errno != 0 ? -rte_errno : -ENOMEM;
	rte_errno = 0;
	if (rte_dev_dma_map(device, start, (uintptr_t)start, size) == 0)
		return 0;
	/* Where the kernel refuses, DPDK logs why and sets nothing. */
	int rc = rte_errno != 0 ? -rte_errno : -EFAULT;
	rte_extmem_unregister(start, size);
	return rc;
}

static void
reach_bus_unmap(void *device, void *start, size_t size)
{
	rte_dev_dma_unmap(device, start, (uintptr_t)start, size);
	rte_extmem_unregister(start, size);
}

const struct reach_ops reach_bus_ops = {reach_bus_map, reach_bus_unmap};

/** Under the lock. */
static void
reach_unmap_some(struct reach_memory *memory, const struct reach_device *device, unsigned n)
{
	atomic_store_explicit(&memory->mapped, false, memory_order_relaxed);
	while (n-- > 0)
		device->ops->unmap(device->device, memory->range[n].start, memory->range[n].size);
}

/** Under the lock. */
static bool
reach_is_wanted(const struct reach_memory *memory)
{
	for (const struct reach_device *device = reach_devices; device != NULL;
		device = device->next)
		if (device->all || memory->huge)
			return true;
	return false;
}

/** Under the lock. */
static void
reach_map(struct reach_memory *memory, const struct reach_device *device)
{
	memory->why = reach_is_wanted(memory) ? 0 : -EPERM;
	if (memory->why < 0)
		return;
	for (unsigned i = 0; i < memory->n; i++) {
		const struct reach_range *range = &memory->range[i];
		memory->why = device->ops->map(device->device, range->start, range->size);
		if (memory->why < 0) {
			reach_unmap_some(memory, device, i);
			return;
		}
	}
	atomic_store_explicit(&memory->mapped, true, memory_order_relaxed);
}

void
reach_join(struct reach_device *device)
{
	pthread_mutex_lock(&reach_lock);
	device->next = reach_devices;
	reach_devices = device;
	for (struct reach_memory *memory = reach_memories; memory != NULL; memory = memory->next)
		if (!memory->mapped)
			reach_map(memory, device);
	pthread_mutex_unlock(&reach_lock);
}

void
reach_leave(struct reach_device *device)
{
	pthread_mutex_lock(&reach_lock);
	struct reach_device **link = &reach_devices;
	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	for (struct reach_memory *memory = reach_memories; memory != NULL && reach_devices == NULL;
		memory = memory->next) {
		if (memory->mapped)
			reach_unmap_some(memory, device, memory->n);
		memory->why = 0;
	}
	pthread_mutex_unlock(&reach_lock);
}

void
reach_share(struct reach_memory *memory)
{
	pthread_mutex_lock(&reach_lock);
	memory->why = 0;
	memory->mapped = false;
	memory->next = reach_memories;
	reach_memories = memory;
	if (reach_devices != NULL)
		reach_map(memory, reach_devices);
	pthread_mutex_unlock(&reach_lock);
}

void
reach_unshare(struct reach_memory *memory)
{
	pthread_mutex_lock(&reach_lock);
	struct reach_memory **link = &reach_memories;
	while (*link != memory)
		link = &(*link)->next;
	*link = memory->next;
	if (memory->mapped)
		reach_unmap_some(memory, reach_devices, memory->n);
	pthread_mutex_unlock(&reach_lock);
}

void
reach_look(struct reach_state *state)
{
	*state = (struct reach_state){0};
	pthread_mutex_lock(&reach_lock);
	for (const struct reach_memory *memory = reach_memories; memory != NULL;
		memory = memory->next) {
		state->memories++;
		state->mapped += memory->mapped;
		state->why = memory->mapped ? state->why : memory->why;
	}
	pthread_mutex_unlock(&reach_lock);
}
