/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bucket of a port, which several polling lcores may use: it outlives snapshots, while its rate is
 * part of them.
 *
 * Thread safety: polling lcores between meter_enter() and meter_leave(); made and freed by control,
 * while no snapshot knows it.
 */
#ifndef SHUNT_RATE_METER_H
#define SHUNT_RATE_METER_H

#include <stdatomic.h>

#include <rte_spinlock.h>

#include "rate/bucket.h"

struct meter {
	const atomic_uint *lcores; /**< how many poll: port_services.senders */
	rte_spinlock_t lock;       /**< taken where there are several */
	struct bucket bucket;
};

/** @return NULL: no memory */
struct meter *meter_create(const atomic_uint *lcores);

/** NULL is fine. */
void meter_destroy(struct meter *meter);

/** @return what meter_leave() wants to know */
static inline bool
meter_enter(struct meter *meter)
{
	bool shared = atomic_load_explicit(meter->lcores, memory_order_relaxed) > 1;

	if (shared)
		rte_spinlock_lock(&meter->lock);
	return shared;
}

static inline void
meter_leave(struct meter *meter, bool shared)
{
	if (shared)
		rte_spinlock_unlock(&meter->lock);
}

#endif
