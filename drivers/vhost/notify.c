/* SPDX-License-Identifier: BSD-3-Clause */
/* Notifies guests of used descriptors at the end of a poll-loop iteration, or soon after. */
#include "vhost/notify.h"

#include <rte_cycles.h>

__thread struct vhost_burst vhost_burst;

/** Notify all rings with a notification pending. */
static void
notify_pending(struct vhost_burst *own)
{
	virtq_notify(own->pending, own->n_pending);
	own->n_pending = 0;
}

void
vhost_notify_later(struct virtq *ring)
{
	struct vhost_burst *own = &vhost_burst;

	for (unsigned i = 0; i < own->n_pending; i++)
		if (own->pending[i] == ring)
			return;
	own->pending[own->n_pending++] = ring;
	if (own->n_pending == VHOST_PENDING_MAX)
		notify_pending(own);
}

/*
 * A driver whose event suppression already asks for an interrupt gets it at once. The opposite is
 * certain only after a fence, which waits for all stores so far: a busy lcore executes one fence
 * for all its rings once in VHOST_PENDING_US, and notifies without fence in between.
 */
bool
vhost_round_done(uint64_t now, bool busy)
{
	struct vhost_burst *own = &vhost_burst;

	if (own->n_pending == 0)
		return true;
	for (unsigned i = 0; i < own->n_pending; i++)
		__builtin_prefetch(own->pending[i]->avail);
	if (busy && now < own->fence_at) {
		own->n_pending = virtq_notify_unfenced(own->pending, own->n_pending);
		return own->n_pending == 0;
	}
	notify_pending(own);
	own->fence_at = now + rte_get_tsc_hz() / 1000000 * VHOST_PENDING_US;
	return true;
}
