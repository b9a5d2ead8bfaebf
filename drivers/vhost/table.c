/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks a new memory table while the library's bursts use the old one, as when memory is
 * hot-plugged into a running guest.
 *
 * The library unmaps the old table before it maps the new one, with its rings' locks held. If that
 * fails its rings still point into the old table, and lcores that wait for a lock would use them.
 * They cannot be stopped before, since the pre-message hook runs with the locks held too. So the
 * library does not get a table with which it might fail: each of its steps is tried here first, and
 * the resources that it needs are kept until it has finished.
 */
#include "vhost/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_config.h>
#include <rte_malloc.h>
#include <rte_vhost.h>

#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/features.h"
#include "vhost/message.h"
#include "vhost/ring.h"
#include "vhost/session.h"

enum { TABLE_HEAP = 8192 }; /* bytes, more than the library allocates for a table */

/** Check that the message has a descriptor for each region, where they are expected. */
static int
table_check_descriptors(
	const struct vhost_dev *dev, const struct vhost_message *message, struct err *err)
{
	if (!dev->table.verified)
		return err_set(err, ENOTSUP, "this vhost library keeps descriptors elsewhere");
	if (message->memory.n == 0 || message->memory.n > MEMORY_REGIONS_MAX ||
		message->n_fds != (int)message->memory.n)
		return err_set(err, EINVAL, "%u memory regions with %d descriptors",
			message->memory.n, message->n_fds);
	return 0;
}

/** Copy the regions of a message. */
static void
table_regions(
	const struct vhost_message *message, struct memory_region_desc regions[MEMORY_REGIONS_MAX])
{
	for (uint32_t i = 0; i < message->memory.n; i++) {
		const struct vhost_message_region *region = &message->memory.region[i];
		regions[i] = (struct memory_region_desc){
			.gpa = region->gpa,
			.uva = region->uva,
			.size = region->size,
			.offset = region->offset,
			.fd = message->fd[i],
		};
	}
}

/** Map regions as the library will. For one in hugetlbfs this reserves its pages in the file. */
static int
table_map(struct vhost_table *table, const struct memory *memory,
	const struct memory_region_desc regions[], struct err *err)
{
	for (unsigned i = 0; i < memory->n; i++) {
		size_t size = memory->region[i].map_size;
		void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, regions[i].fd, 0);
		if (map == MAP_FAILED)
			return err_set(
				err, errno, "memory region cannot be mapped: %s", strerror(errno));
		table->map[table->n] = map;
		table->size[table->n++] = size;
	}
	return 0;
}

/** Check that the library can allocate a table. */
static int
table_check_heap(struct err *err)
{
	void *space = rte_malloc(NULL, TABLE_HEAP, 0);

	rte_free(space);
	return space != NULL ? 0 : err_set(err, ENOMEM, "no memory for a memory table");
}

int
vhost_table_reserve(struct vhost_dev *dev, const struct vhost_message *message, struct err *err)
{
	struct memory_region_desc regions[MEMORY_REGIONS_MAX];
	struct memory memory;
	int rc = table_check_descriptors(dev, message, err);

	if (rc < 0)
		return rc;
	table_regions(message, regions);
	/* Map twice: once memory_map()'s is undone, its address space is free for the library. */
	rc = memory_map(&memory, regions, message->memory.n, err);
	if (rc == 0) {
		rc = table_map(&dev->table, &memory, regions, err);
		memory_unmap(&memory);
	}
	if (rc == 0)
		rc = table_check_heap(err);
	if (rc < 0)
		vhost_table_release(dev);
	return rc;
}

void
vhost_table_release(struct vhost_dev *dev)
{
	struct vhost_table *table = &dev->table;

	while (table->n > 0) {
		table->n--;
		munmap(table->map[table->n], table->size[table->n]);
	}
}

/** Record the rings mapped now: the next table must contain them. */
static void
table_record_rings(struct vhost_dev *dev, int vid)
{
	struct rte_vhost_vring vring;

	for (uint16_t i = 0; i < 2 * dev->queues; i++)
		if (rte_vhost_get_vhost_vring(vid, i, &vring) == 0 && vring.desc != NULL &&
			vring.avail != NULL && vring.used != NULL)
			dev->table.ring_mapped[i] = true;
}

void
vhost_table_record(struct vhost_dev *dev, int vid, const struct vhost_message *message)
{
	struct vhost_table *table = &dev->table;
	uint32_t n = message->memory.n;

	if (dev->running)
		table_record_rings(dev, vid);
	table->n_fds = 0;
	/* No front-end bytes beyond the table: in another layout they could pass for fds. */
	if (n == 0 || n > MEMORY_REGIONS_MAX || message->n_fds != (int)n ||
		message->size > sizeof(message->memory))
		return;
	table->n_fds = n;
	memcpy(table->fd, message->fd, n * sizeof(table->fd[0]));
}

void
vhost_table_verify(struct vhost_dev *dev, int vid)
{
	struct vhost_table *table = &dev->table;
	struct rte_vhost_memory *now = NULL;

	if (table->verified || table->n_fds == 0 || rte_vhost_get_mem_table(vid, &now) < 0)
		return;
	bool same = now->nregions == table->n_fds;
	for (uint32_t i = 0; same && i < now->nregions; i++)
		same = now->regions[i].fd == table->fd[i];
	table->verified = same;
	free(now);
}

/** @return true if a range in the library's mappings lies in one region of a table */
static bool
table_contains(const struct rte_vhost_memory *table, const void *address, uint64_t size)
{
	for (uint32_t i = 0; i < table->nregions; i++) {
		const struct rte_vhost_mem_region *region = &table->regions[i];
		uint64_t offset = (uintptr_t)address - region->host_user_addr;
		if (offset < region->size && size <= region->size - offset)
			return true;
	}
	return false;
}

/** @return true if each area of a ring lies in one region of the table */
static bool
table_contains_ring(
	const struct rte_vhost_memory *table, const struct rte_vhost_vring *vring, bool packed)
{
	const struct vhost_areas areas = vhost_ring_areas(vring->size, packed);

	return vring->desc != NULL && vring->avail != NULL && vring->used != NULL &&
	       table_contains(table, vring->desc, areas.desc) &&
	       table_contains(table, vring->avail, areas.avail) &&
	       table_contains(table, vring->used, areas.used);
}

int
vhost_table_missing_ring(const struct vhost_dev *dev, int vid)
{
	bool packed = (dev->session->features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0;
	struct rte_vhost_memory *now = NULL;
	struct rte_vhost_vring vring;
	int missing = VHOST_NO_RING;

	if (rte_vhost_get_mem_table(vid, &now) < 0)
		return VHOST_NO_RING;
	for (uint16_t i = 0; i < 2 * dev->queues; i++)
		if (dev->table.ring_mapped[i] && rte_vhost_get_vhost_vring(vid, i, &vring) == 0 &&
			!table_contains_ring(now, &vring, packed))
			missing = i;
	free(now);
	return missing;
}
