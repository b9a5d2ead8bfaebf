/* SPDX-License-Identifier: BSD-3-Clause */
/* The classify stage of the plain path: learning and lookup once per header run. */
#include "datapath/classify.h"

#include <string.h>

#include "base/mac.h"
#include "datapath/header_runs.h"

/** Set l2_len and the VLAN of a frame, and check it. @return as classify_addresses() */
static inline uint16_t
classify_frame(struct frame *frame)
{
	if (frame->head_len < FRAME_ETH_LEN)
		return DEST_DROP + DROP_RUNT;
	uint16_t dest = classify_vlan(frame);
	return dest != DEST_LOOKUP ? dest : classify_addresses(frame, 0);
}

/** Header runs of a burst and their FDB queries. */
struct classify {
	struct header_runs runs;
	struct fdb_batch destinations, sources;
};

/**
 * Begin run i: classify its first frame, and add the addresses to the queries. Not inlined, which
 * keeps the loop small: most frames continue a run.
 */
static __attribute__((noinline)) void
classify_run(struct classify *classify, const struct fdb *fdb, struct frame *frame, unsigned i,
	bool learn)
{
	struct header_runs *runs = &classify->runs;

	runs->frame[i] = frame;
	runs->dest[i] = classify_frame(frame);
	fdb_batch_add_destination(fdb, &classify->destinations, runs, i);
	if (learn)
		fdb_batch_add_source(fdb, &classify->sources, runs, i);
}

/**
 * Divide the burst into header runs, and classify the first frame of each. Inlined by force with a
 * constant `learn`, so that the loop does not test it.
 */
static __rte_always_inline void
classify_runs(struct classify *classify, const struct fdb *fdb, struct burst *burst, bool learn)
{
	const struct frame *run = NULL;
	unsigned n = 0, count = burst->n;

	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = &burst->frame[i];
		if (i > 0 && header_runs_same(frame, frame - 1, learn)) {
			frame->l2_len = run->l2_len;
			frame->vlan = run->vlan;
		} else {
			classify_run(classify, fdb, frame, n++, learn);
			run = frame;
		}
		classify->runs.of[i] = (uint8_t)(n - 1);
	}
	classify->runs.n = n;
}

/** Look up the destination addresses, and set the destinations of their runs. */
static void
classify_lookup(struct classify *classify, const struct fdb *fdb, uint16_t port)
{
	struct header_runs *runs = &classify->runs;

	fdb_lookup_burst(fdb, &classify->destinations.query);
	for (unsigned i = 0; i < runs->n; i++) {
		uint16_t dest = fdb_batch_port(&classify->destinations, i);

		if (fdb_batch_has(&classify->destinations, i))
			runs->dest[i] = dest == port ? DEST_DROP + DROP_SAME_PORT : dest;
	}
}

unsigned
classify_burst(struct fdb *fdb, struct burst *burst, bool learn)
{
	struct classify classify;
	unsigned missed = 0;

	classify.destinations.query.n = 0;
	classify.sources.query.n = 0;
	if (likely(learn)) {
		classify_runs(&classify, fdb, burst, true);
		missed = header_runs_learn(
			fdb, &classify.sources, burst->port, &classify.destinations);
	} else {
		classify_runs(&classify, fdb, burst, false);
		fdb_query_look(fdb, &classify.destinations.query);
	}
	classify_lookup(&classify, fdb, burst->port);
	header_runs_apply(&classify.runs, burst);
	return missed;
}

void
classify_plain_stage(struct burst_context *context, const void *state)
{
	bool learn = classify_learns(context);

	(void)state;
	classify_back_off(context, classify_burst(context->fdb, &context->burst, learn));
}
