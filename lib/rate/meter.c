/* SPDX-License-Identifier: BSD-3-Clause */
/* Creates and destroys meters. */
#include "rate/meter.h"

#include <rte_common.h>
#include <rte_malloc.h>

struct meter *
meter_create(const atomic_uint *lcores)
{
	struct meter *meter = rte_zmalloc("meter", sizeof(*meter), RTE_CACHE_LINE_SIZE);

	if (meter == NULL)
		return NULL;
	meter->lcores = lcores;
	rte_spinlock_init(&meter->lock);
	return meter;
}

void
meter_destroy(struct meter *meter)
{
	rte_free(meter);
}
