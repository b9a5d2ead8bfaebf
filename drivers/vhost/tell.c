/* SPDX-License-Identifier: BSD-3-Clause */
/* When guests are told of what an lcore did to their rings: at the end of its round, or soon. */
#include <rte_cycles.h>

#include "vhost/vhost.h"

__thread struct vhost_burst vhost_burst;

static void
tell_surely(struct vhost_burst *own)
{
	virtq_tell(own->untold, own->n_untold);
	own->n_untold = 0;
}

void
vhost_tell_later(struct virtq *ring)
{
	struct vhost_burst *own = &vhost_burst;

	for (unsigned i = 0; i < own->n_untold; i++)
		if (own->untold[i] == ring)
			return;
	own->untold[own->n_untold++] = ring;
	if (own->n_untold == VHOST_UNTOLD_MAX)
		tell_surely(own);
}

/*
 * A guest that is seen to want an interrupt gets it now. To be sure that one does not takes a fence,
 * which waits until all that was written is out: under load every few rounds only, for all at once.
 */
bool
vhost_round_done(uint64_t now, bool busy)
{
	struct vhost_burst *own = &vhost_burst;

	if (own->n_untold == 0)
		return true;
	for (unsigned i = 0; i < own->n_untold; i++)
		__builtin_prefetch(own->untold[i]->avail);
	if (busy && now < own->sure_at) {
		own->n_untold = virtq_tell_early(own->untold, own->n_untold);
		return own->n_untold == 0;
	}
	tell_surely(own);
	own->sure_at = now + rte_get_tsc_hz() / 1000000 * VHOST_UNTOLD_US;
	return true;
}
