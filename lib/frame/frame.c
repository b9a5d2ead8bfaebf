/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/frame.h"

void
frame_free(struct frame *const frames[], unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rte_pktmbuf_free(frames[i]->mbuf);
}
