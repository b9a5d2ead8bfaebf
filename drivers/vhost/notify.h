/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's state of each polling lcore, and notifications of guests at the end of a round of
 * the poll loop, or soon after.
 *
 * Thread safety: polling lcores, each with its own struct vhost_lcore.
 */
#ifndef SHUNT_DRIVERS_VHOST_NOTIFY_H
#define SHUNT_DRIVERS_VHOST_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "lcore/topology.h"
#include "vring/vring.h"

enum {
	VHOST_PENDING_MAX = 8, /**< rings with a notification pending, per lcore */
	VHOST_PENDING_US = 10, /**< a busy lcore notifies with a fence once in this time */
};

/**
 * State of the driver on a polling lcore: buffers popped from a guest's ring and not returned yet,
 * and rings with a notification pending. One for all ports, since an lcore completes a burst before
 * it polls again: small enough to stay in the L1 cache.
 */
struct vhost_lcore {
	struct virtq_batch batch;
	struct virtq *popped;                     /**< ring of the batch; NULL = none */
	struct virtq *pending[VHOST_PENDING_MAX]; /**< rings with a notification pending */
	unsigned n_pending;
	uint64_t fence_at; /**< TSC from which pending notifications are sent with a fence */
};

/** By lcore id. An lcore that starts again with the same id continues with the state. */
extern struct vhost_lcore vhost_lcore[LCORE_MAX];

/** Add a ring to those with a notification pending, sent at the end of the round or soon after. */
void vhost_notify_later(struct vhost_lcore *lcore, struct virtq *ring);

/**
 * port_driver.round_done: notify the guests of rings with a notification pending.
 *
 * @param busy the round moved frames: a fence is not executed before fence_at
 * @return true if no notification is pending any more
 */
bool vhost_round_done(uint16_t lcore_id, uint64_t now, bool busy);

#endif
