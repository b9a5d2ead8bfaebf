/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Maps guest memory. Sessions share a mapping while the front end's table stays the same: a DMA map
 * pins memory page by page, which would take too long for every message.
 */
#include "vhost/mapping.h"

#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_vhost.h>

#include "vhost/device.h"

enum { MAPPING_PAGE = 4096 };

_Static_assert((int)MEMORY_REGIONS_MAX <= (int)DMA_MAP_RANGES_MAX, "a range for each region");

/** Get the regions that the library has. @return their number; -ENOMEM with the reason */
static int
mapping_regions(int vid, struct memory_region_desc regions[MEMORY_REGIONS_MAX], struct err *err)
{
	struct rte_vhost_memory *table = NULL;
	int n = 0;

	if (rte_vhost_get_mem_table(vid, &table) < 0 || table == NULL)
		return err_set(err, ENOMEM, "no memory table");
	for (; n < (int)table->nregions && n < MEMORY_REGIONS_MAX; n++) {
		const struct rte_vhost_mem_region *region = &table->regions[n];
		regions[n] = (struct memory_region_desc){
			.gpa = region->guest_phys_addr,
			.uva = region->host_user_addr,
			.size = region->size,
			.offset = region->host_user_addr - (uintptr_t)region->mmap_addr,
			.fd = region->fd,
		};
	}
	free(table);
	return n;
}

/** Set the ranges of the DMA map: whole pages, the unit of an IOMMU. */
static void
mapping_ranges(const struct memory *memory, struct dma_map_memory *dma_map)
{
	dma_map->n = memory->n;
	dma_map->huge = memory->huge;
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		uint8_t *start = RTE_PTR_ALIGN_FLOOR(region->hva, MAPPING_PAGE);
		const uint8_t *end = RTE_PTR_ALIGN_CEIL(region->hva + region->size, MAPPING_PAGE);
		dma_map->range[i] = (struct dma_map_range){start, (size_t)(end - start)};
	}
}

/** Map regions and add them to the DMA map. @return NULL with the reason */
static struct vhost_mapping *
mapping_create(const struct memory_region_desc regions[], unsigned n, struct err *err)
{
	struct vhost_mapping *mapping = rte_zmalloc("mapping", sizeof(*mapping), 64);

	if (mapping == NULL) {
		err_set(err, ENOMEM, "no memory for a guest's mapping");
		return NULL;
	}
	if (memory_map(&mapping->memory, regions, n, err) < 0) {
		rte_free(mapping);
		return NULL;
	}
	atomic_store(&mapping->users, 1);
	mapping_ranges(&mapping->memory, &mapping->dma_map);
	dma_map_add(&mapping->dma_map);
	return mapping;
}

struct vhost_mapping *
vhost_mapping_get(struct vhost_dev *dev, int vid, struct err *err)
{
	struct memory_region_desc regions[MEMORY_REGIONS_MAX];
	int n = mapping_regions(vid, regions, err);

	if (n < 0)
		return NULL;
	if (dev->mapping == NULL || !memory_matches(&dev->mapping->memory, regions, (unsigned)n)) {
		vhost_mapping_put(dev->mapping);
		dev->mapping = mapping_create(regions, (unsigned)n, err);
	}
	if (dev->mapping != NULL)
		atomic_fetch_add(&dev->mapping->users, 1);
	return dev->mapping;
}

void
vhost_mapping_put(struct vhost_mapping *mapping)
{
	if (mapping == NULL || atomic_fetch_sub(&mapping->users, 1) > 1)
		return;
	dma_map_remove(&mapping->dma_map);
	memory_unmap(&mapping->memory);
	rte_free(mapping);
}

void
vhost_mapping_release(struct vhost_dev *dev)
{
	vhost_mapping_put(dev->mapping);
	dev->mapping = NULL;
}
