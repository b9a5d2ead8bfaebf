/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notifications of guests at the end of a round of the poll loop, or soon after.
 *
 * Thread safety: polling lcores, each with its own struct vhost_burst.
 */
#ifndef SHUNT_DRIVERS_VHOST_NOTIFY_H
#define SHUNT_DRIVERS_VHOST_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "vring/vring.h"

enum {
	VHOST_PENDING_MAX = 8, /**< rings with a notification pending, per lcore */
	VHOST_PENDING_US = 10, /**< a busy lcore notifies with a fence once in this time */
};

/**
 * Buffers that a polling lcore has popped from a guest's ring and not returned yet, and rings with
 * a notification pending. One per lcore, since it completes a burst before it polls again: small
 * enough to stay in the L1 cache.
 */
struct vhost_burst {
	struct virtq_batch batch;
	struct virtq *popped;                     /**< ring of the batch; NULL = none */
	struct virtq *pending[VHOST_PENDING_MAX]; /**< rings with a notification pending */
	unsigned n_pending;
	uint64_t fence_at; /**< TSC from which pending notifications are sent with a fence */
};

extern __thread struct vhost_burst vhost_burst;

/** Mark a ring's notification as pending: it is sent at the end of the round, or soon after. */
void vhost_notify_later(struct virtq *ring);

/** The round_done slot of struct port_driver. */
bool vhost_round_done(uint64_t now, bool busy);

#endif
