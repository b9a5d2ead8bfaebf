/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks of a new memory table (SET_MEM_TABLE) while the library's bursts use the old one.
 *
 * Thread safety: the library's event thread; vhost_table_release() also by control, while closing.
 */
#ifndef SHUNT_DRIVERS_VHOST_TABLE_H
#define SHUNT_DRIVERS_VHOST_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/port.h"
#include "vring/memory.h"

struct vhost_dev;
struct vhost_message;

/** State of the checks of a port's memory tables. */
struct vhost_table {
	bool verified; /**< checked on this connection: fds lie where struct vhost_message has them */
	uint32_t n_fds; /**< of the message being handled */
	int fd[MEMORY_REGIONS_MAX];
	unsigned n; /**< mappings kept until the library has made its own */
	void *map[MEMORY_REGIONS_MAX];
	size_t size[MEMORY_REGIONS_MAX];
	bool ring_mapped[2 * PORT_QUEUES_MAX]; /**< by the library, in the last table */
};

/**
 * Check that the library cannot fail with this table. The mappings that guarantee it are kept until
 * vhost_table_release().
 *
 * @return 0; negative errno with the reason, nothing kept
 */
int vhost_table_reserve(
	struct vhost_dev *dev, const struct vhost_message *message, struct err *err);

/** Release what vhost_table_reserve() kept. Control too, while closing. May be called twice. */
void vhost_table_release(struct vhost_dev *dev);

/** Record a table's descriptors and the last table's rings, before the library gets the table. */
void vhost_table_record(struct vhost_dev *dev, int vid, const struct vhost_message *message);

/** Verify, after the library took a table, that its descriptors are those recorded before. */
void vhost_table_verify(struct vhost_dev *dev, int vid);

/** @return number of a ring mapped in the last table but not in this one; or VHOST_NO_RING */
int vhost_table_missing_ring(const struct vhost_dev *dev, int vid);

#endif
