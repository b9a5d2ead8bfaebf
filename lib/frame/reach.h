/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory within reach of devices: mapped for the DMA of network cards, so that frames can
 * leave from where a guest put them.
 *
 * What is mapped is pinned. A VM that gives pages back to its host (balloon, free page reporting)
 * and takes them again gets others, and devices would go on reading the old ones. Nobody does that
 * with huge pages; memory of small ones is mapped only for devices that are told to.
 *
 * Devices join, memory is shared; whichever comes later, memory is mapped while there is both. All
 * devices are behind one container of the IOMMU, as DPDK has them: what is mapped through one of
 * them is within reach of all, and stays so until the last one leaves. A memory is mapped as a
 * whole or not at all.
 *
 * Thread safety: any thread but polling lcores, under a lock of its own that is held while memory
 * is mapped. Polling lcores read reach_memory.mapped.
 */
#ifndef SHUNT_FRAME_REACH_H
#define SHUNT_FRAME_REACH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { REACH_RANGES_MAX = 8 };

/** Contiguous pages of this process. */
struct reach_range {
	void *start; /**< 4096-byte aligned */
	size_t size; /**< a multiple of 4096 */
};

/** Memory of one guest. The caller's, until reach_unshare(). */
struct reach_memory {
	/* Written under the lock, read by polling lcores. */
	atomic_bool mapped;

	/* Written by the caller before reach_share(). */
	unsigned n;
	bool huge; /**< in huge pages, which front ends do not give back in between */
	struct reach_range range[REACH_RANGES_MAX];

	/* Under the lock. */
	int why; /**< negative errno of the last attempt, 0 = mapped, or nobody wants it */
	struct reach_memory *next;
};

/** How memory is mapped. */
struct reach_ops {
	/** @return 0 or negative errno */
	int (*map)(void *device, void *start, size_t size);
	void (*unmap)(void *device, void *start, size_t size);
};

/** For devices on a bus: `device` is a struct rte_device. */
extern const struct reach_ops reach_bus_ops;

/** A device that reads memory. The caller's, until reach_leave(). */
struct reach_device {
	/* Written by the caller before reach_join(). */
	const struct reach_ops *ops;
	void *device;
	bool all; /**< wants memory of small pages too */

	/* Under the lock. */
	struct reach_device *next;
};

/** How much of what is shared is mapped. */
struct reach_state {
	unsigned memories;
	unsigned mapped;
	int why; /**< negative errno of one that is not mapped, 0 = there is none */
};

/** Map what is shared, now and later. May take long: pages are pinned. */
void reach_join(struct reach_device *device);

/** The device reads no more; with the last one all memory is unmapped. */
void reach_leave(struct reach_device *device);

/** Have memory mapped for devices, those that are there and those to come. */
void reach_share(struct reach_memory *memory);

/** Nothing reads it any more: unmap it. */
void reach_unshare(struct reach_memory *memory);

void reach_look(struct reach_state *state);

#endif
