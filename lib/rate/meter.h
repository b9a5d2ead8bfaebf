/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The token bucket of a port, shared by polling lcores. It outlives snapshots, while its rate is
 * part of a snapshot.
 *
 * Thread safety: polling lcores between meter_enter() and meter_leave(); created and freed by the
 * control thread while no snapshot refers to it.
 */
#ifndef SHUNT_RATE_METER_H
#define SHUNT_RATE_METER_H

#include <stdatomic.h>

#include <rte_spinlock.h>

#include "rate/bucket.h"

/** A token bucket and its lock. */
struct meter {
	const atomic_uint *lcores; /**< number of polling lcores: port_services.senders */
	rte_spinlock_t lock;       /**< taken if there are several */
	struct bucket bucket;
};

/**
 * Create a meter with a full bucket.
 *
 * @param lcores must outlive the meter
 * @return NULL without memory
 */
struct meter *meter_create(const atomic_uint *lcores);

/** Free a meter; NULL is ignored. */
void meter_destroy(struct meter *meter);

/** Begin to use the bucket; takes the lock if several lcores poll. @return whether it did */
static inline bool
meter_enter(struct meter *meter)
{
	bool shared = atomic_load_explicit(meter->lcores, memory_order_relaxed) > 1;

	if (shared)
		rte_spinlock_lock(&meter->lock);
	return shared;
}

/** End the use of the bucket. @param shared returned by meter_enter() */
static inline void
meter_leave(struct meter *meter, bool shared)
{
	if (shared)
		rte_spinlock_unlock(&meter->lock);
}

#endif
