/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our mapping of a guest's memory, which epochs share for as long as the front end's table stays
 * the same: devices pin what they reach page by page, which is not to be done for every message.
 */
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_vhost.h>

#include "vhost/vhost.h"

enum { MAPPING_PAGE = 4096 };

_Static_assert((int)MEMORY_REGIONS_MAX <= (int)REACH_RANGES_MAX, "a range for each region");

/** What the library has been told. @return how many; -ENOMEM with the reason */
static int
mapping_claims(int vid, struct memory_claim claims[MEMORY_REGIONS_MAX], struct err *err)
{
	struct rte_vhost_memory *table = NULL;
	int n = 0;

	if (rte_vhost_get_mem_table(vid, &table) < 0 || table == NULL)
		return err_set(err, ENOMEM, "no memory table");
	for (; n < (int)table->nregions && n < MEMORY_REGIONS_MAX; n++) {
		const struct rte_vhost_mem_region *region = &table->regions[n];
		claims[n] = (struct memory_claim){
			.guest = region->guest_phys_addr,
			.front = region->host_user_addr,
			.size = region->size,
			.offset = region->host_user_addr - (uintptr_t)region->mmap_addr,
			.fd = region->fd,
		};
	}
	free(table);
	return n;
}

/** Whole pages, for devices reach nothing less. */
static void
mapping_ranges(const struct memory *memory, struct reach_memory *reach)
{
	reach->n = memory->n;
	reach->huge = memory->huge;
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		uint8_t *start = RTE_PTR_ALIGN_FLOOR(region->host, MAPPING_PAGE);
		const uint8_t *end = RTE_PTR_ALIGN_CEIL(region->host + region->size, MAPPING_PAGE);
		reach->range[i] = (struct reach_range){start, (size_t)(end - start)};
	}
}

static struct vhost_mapping *
mapping_create(const struct memory_claim claims[], unsigned n, struct err *err)
{
	struct vhost_mapping *mapping = rte_zmalloc("mapping", sizeof(*mapping), 64);

	if (mapping == NULL) {
		err_set(err, ENOMEM, "no memory for a guest's mapping");
		return NULL;
	}
	if (memory_map(&mapping->memory, claims, n, err) < 0) {
		rte_free(mapping);
		return NULL;
	}
	atomic_store(&mapping->users, 1);
	mapping_ranges(&mapping->memory, &mapping->reach);
	reach_share(&mapping->reach);
	return mapping;
}

struct vhost_mapping *
vhost_mapping_get(struct vhost_dev *dev, int vid, struct err *err)
{
	struct memory_claim claims[MEMORY_REGIONS_MAX];
	int n = mapping_claims(vid, claims, err);

	if (n < 0)
		return NULL;
	if (dev->mapping == NULL || !memory_is(&dev->mapping->memory, claims, (unsigned)n)) {
		vhost_mapping_put(dev->mapping);
		dev->mapping = mapping_create(claims, (unsigned)n, err);
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
	reach_unshare(&mapping->reach);
	memory_unmap(&mapping->memory);
	rte_free(mapping);
}

void
vhost_mapping_forget(struct vhost_dev *dev)
{
	vhost_mapping_put(dev->mapping);
	dev->mapping = NULL;
}
