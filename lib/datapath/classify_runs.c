/* SPDX-License-Identifier: BSD-3-Clause */
/* Classification in stages: header runs, learning and lookup, and the result for each frame. */
#include "datapath/classify_runs.h"

#include "datapath/classify.h"

/**
 * Check the first frame of a run, and set its VLAN unless a feature does.
 *
 * @return DEST_LOOKUP, or DEST_DROP plus the reason
 */
static inline uint16_t
classify_first_frame(struct frame *frame, bool sets_vlan)
{
	if (frame->head_len < FRAME_ETH_LEN)
		return DEST_DROP + DROP_RUNT;
	return sets_vlan ? DEST_LOOKUP : classify_vlan(frame);
}

/** Inlined by force with a constant `by_source`, so that the loop does not test it. */
static __rte_always_inline void
classify_find_runs(struct burst_context *context, bool sets_vlan, bool by_source)
{
	struct classification *classify = &context->classify;
	struct header_runs *runs = &classify->runs;
	struct burst *burst = &context->burst;
	const struct frame *last = NULL;
	unsigned n = 0, count = burst->n;

	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = &burst->frame[i];
		bool dropped = burst->dest[i] < DEST_FORWARD;
		if (last == NULL || dropped || !header_runs_same(frame, last, by_source)) {
			classify->source_port[n] = burst->port;
			runs->dest[n] =
				dropped ? burst->dest[i] : classify_first_frame(frame, sets_vlan);
			runs->frame[n++] = frame;
		}
		runs->of[i] = (uint8_t)(n - 1);
		last = dropped ? NULL : frame;
	}
	runs->n = n;
}

void
classify_runs_stage(struct burst_context *context, const void *state)
{
	const struct classify_config *config = state;
	struct classification *classify = &context->classify;

	classify->learns = config->learn && classify_learns(context);
	classify->decided = false;
	classify->reserved = 0;
	if (config->by_source || classify->learns)
		classify_find_runs(context, config->sets_vlan, true);
	else
		classify_find_runs(context, config->sets_vlan, false);
}

/** Check the addresses of all runs that are not dropped. */
static void
classify_check_addresses(struct classification *classify)
{
	struct header_runs *runs = &classify->runs;

	for (unsigned i = 0; i < runs->n; i++)
		if (runs->dest[i] >= DEST_FORWARD)
			runs->dest[i] = classify_addresses(runs->frame[i], classify->reserved);
}

/**
 * Learn the sources of all runs except those that an uplink reflects, whose addresses belong to the
 * member port. Prepares the destinations for fdb_lookup_burst().
 *
 * @return number of source addresses that could not be learnt
 */
static unsigned
classify_learn(struct burst_context *context, struct fdb_batch *destinations)
{
	const struct classification *classify = &context->classify;
	uint16_t self = context->burst.port;
	struct fdb_batch sources;

	sources.query.n = 0;
	for (unsigned i = 0; i < classify->runs.n; i++)
		if (classify->source_port[i] == self)
			fdb_batch_add_source(context->fdb, &sources, &classify->runs, i);
	return header_runs_learn(context->fdb, &sources, self, destinations);
}

/** Look up the destination addresses, and set the destinations of their runs. */
static void
classify_destinations(struct burst_context *context, struct fdb_batch *destinations)
{
	struct classification *classify = &context->classify;
	struct header_runs *runs = &classify->runs;

	fdb_lookup_burst(context->fdb, &destinations->query);
	for (unsigned i = 0; i < runs->n; i++) {
		if (!fdb_batch_has(destinations, i))
			continue;
		uint16_t port = fdb_batch_port(destinations, i);
		bool same = port == context->burst.port || port == classify->source_port[i];
		runs->dest[i] = same ? DEST_DROP + DROP_SAME_PORT : port;
	}
}

void
classify_lookup_stage(struct burst_context *context, const void *state)
{
	struct classification *classify = &context->classify;
	struct fdb_batch destinations;
	unsigned missed = 0;

	(void)state;
	destinations.query.n = 0;
	classify_check_addresses(classify);
	if (!classify->decided)
		header_runs_destinations(context->fdb, &classify->runs, &destinations);
	if (classify->learns)
		missed = classify_learn(context, &destinations);
	else
		fdb_query_look(context->fdb, &destinations.query);
	if (!classify->decided)
		classify_destinations(context, &destinations);
	classify_back_off(context, missed);
}

/** Give the frames of a run, from `first` on, its result. */
static inline void
classify_apply(struct burst *burst, unsigned first, unsigned end, uint16_t dest, uint16_t source)
{
	const struct frame run = {.l2_len = burst->frame[first].l2_len,
		.vlan = burst->frame[first].vlan,
		.tag_len = burst->frame[first].tag_len};

	for (unsigned i = first; i < end; i++) {
		struct frame *frame = &burst->frame[i];

		frame->l2_len = run.l2_len;
		frame->vlan = run.vlan;
		frame->tag_len = run.tag_len;
		if (burst->dest[i] >= DEST_FORWARD)
			burst->dest[i] = dest;
		burst->source_port[i] = source;
	}
}

void
classify_apply_stage(struct burst_context *context, const void *state)
{
	const struct classification *classify = &context->classify;
	const struct header_runs *runs = &classify->runs;
	struct burst *burst = &context->burst;

	(void)state;
	for (unsigned run = 0; run < runs->n; run++)
		classify_apply(burst, header_runs_first(runs, burst, run),
			header_runs_end(runs, burst, run), runs->dest[run],
			classify->source_port[run]);
}
