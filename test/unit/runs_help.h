/* SPDX-License-Identifier: BSD-3-Clause */
/* Header runs of bursts that tests classify themselves. */
#ifndef SHUNT_TEST_RUNS_HELP_H
#define SHUNT_TEST_RUNS_HELP_H

#include "datapath/context.h"

/** Make each frame of the burst a header run: egress filters read the runs. */
static inline void
make_runs(struct burst_context *context)
{
	struct header_runs *runs = &context->classify.runs;

	for (runs->n = 0; runs->n < context->burst.n; runs->n++) {
		runs->frame[runs->n] = &context->burst.frame[runs->n];
		runs->of[runs->n] = (uint8_t)runs->n;
	}
}

#endif
