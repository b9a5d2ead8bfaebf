/* SPDX-License-Identifier: BSD-3-Clause */
/* Notifies guests of used descriptors at the end of a poll-loop iteration, or soon after. */
#include "vhost/notify.h"

#include <rte_cycles.h>

struct vhost_lcore vhost_lcore[LCORE_MAX];

/** Notify all rings with a notification pending. */
static void
notify_pending(struct vhost_lcore *lcore)
{
	virtq_notify(lcore->pending, lcore->n_pending);
	lcore->n_pending = 0;
}

void
vhost_notify_later(struct vhost_lcore *lcore, struct virtq *ring)
{
	for (unsigned i = 0; i < lcore->n_pending; i++)
		if (lcore->pending[i] == ring)
			return;
	lcore->pending[lcore->n_pending++] = ring;
	if (lcore->n_pending == VHOST_PENDING_MAX)
		notify_pending(lcore);
}

/*
 * A driver whose event suppression requests an interrupt gets it at once. That a driver requests
 * none is certain only after a fence, which waits for all stores so far: a busy lcore executes one
 * fence for all its rings once in VHOST_PENDING_US, and notifies without a fence in between.
 */
bool
vhost_round_done(uint16_t lcore_id, uint64_t now, bool busy)
{
	struct vhost_lcore *lcore = &vhost_lcore[lcore_id];

	if (lcore->n_pending == 0)
		return true;
	for (unsigned i = 0; i < lcore->n_pending; i++)
		__builtin_prefetch(lcore->pending[i]->avail);
	if (busy && now < lcore->fence_at) {
		lcore->n_pending = virtq_notify_unfenced(lcore->pending, lcore->n_pending);
		return lcore->n_pending == 0;
	}
	notify_pending(lcore);
	lcore->fence_at = now + rte_get_tsc_hz() / 1000000 * VHOST_PENDING_US;
	return true;
}
