/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header runs: consecutive frames of a burst with equal headers. Guests send many frames of a flow
 * in a row, so the first frame of a run is classified and the result is applied to the whole run.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_HEADER_RUNS_H
#define SHUNT_DATAPATH_HEADER_RUNS_H

#include <emmintrin.h>

#include "base/mac.h"
#include "datapath/burst.h"

/** The header runs of a burst. */
struct header_runs {
	struct frame *frame[FRAME_BURST]; /**< per run: its first frame */
	uint16_t dest[FRAME_BURST];       /**< per run: its destination, as burst->dest */
	uint8_t of[FRAME_BURST];          /**< per frame of the burst: its run */
	unsigned n;                       /**< number of runs */
};

/** @return index in the burst of the first frame of a run */
static inline unsigned
header_runs_first(const struct header_runs *runs, const struct burst *burst, unsigned run)
{
	return (unsigned)(runs->frame[run] - burst->frame);
}

/** @return index in the burst of the frame after the last one of a run */
static inline unsigned
header_runs_end(const struct header_runs *runs, const struct burst *burst, unsigned run)
{
	return run + 1 < runs->n ? header_runs_first(runs, burst, run + 1) : burst->n;
}

/** @return a bit for each frame of a run, by index in the burst */
static inline uint32_t
header_runs_mask(const struct header_runs *runs, const struct burst *burst, unsigned run)
{
	uint64_t before = UINT64_C(1) << header_runs_first(runs, burst, run);

	return (uint32_t)((UINT64_C(1) << header_runs_end(runs, burst, run)) - before);
}

/** Bytes that determine the destination: addresses, EtherType, and TCI of a tagged frame. */
enum { HEADER_RUNS_BYTES = FRAME_ETH_LEN + 2 };

/** Masks of these bytes, one bit per byte. */
enum {
	HEADER_RUNS_ALL = (1 << HEADER_RUNS_BYTES) - 1,
	HEADER_RUNS_SOURCE = ((1 << MAC_BYTES) - 1) << MAC_BYTES,
};

_Static_assert(HEADER_RUNS_BYTES == sizeof(__m128i), "compared at once");

/**
 * Check whether two consecutive frames belong to one header run.
 *
 * @param sources true: source addresses must be equal; false: they may differ, if both are legal
 * @return true if they do
 */
static inline bool
header_runs_same(const struct frame *a, const struct frame *b, bool sources)
{
	int same = sources ? 0 : HEADER_RUNS_SOURCE;

	if (unlikely(a->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN ||
		     b->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN))
		return false;
	if (!sources && (!mac_is_source(mac_load(a->head + MAC_BYTES)) ||
				!mac_is_source(mac_load(b->head + MAC_BYTES))))
		return false;
	same |= _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a->head),
		_mm_loadu_si128((const __m128i *)b->head)));
	return same == HEADER_RUNS_ALL;
}

/** FDB query for the addresses of runs. Equal addresses of consecutive runs share one entry. */
struct fdb_batch {
	struct fdb_query query;
	uint8_t of[FRAME_BURST]; /**< per run: its index in the query, or FDB_BATCH_NONE */
};

enum { FDB_BATCH_NONE = UINT8_MAX };

/** Check whether a query has an address of a run. @param run index @return true if it has */
static inline bool
fdb_batch_has(const struct fdb_batch *batch, unsigned run)
{
	return batch->of[run] != FDB_BATCH_NONE;
}

/**
 * Get the result of fdb_lookup_burst() for a run.
 *
 * @param run index of the run
 * @return port id; FDB_MISS if there is no entry, or if the run is not in the query
 */
static inline uint16_t
fdb_batch_port(const struct fdb_batch *batch, unsigned run)
{
	return fdb_batch_has(batch, run) ? batch->query.port[batch->of[run]] : FDB_MISS;
}

/** Add the source address of a run, unless the run is dropped. @param i index of the run */
static inline void
fdb_batch_add_source(
	const struct fdb *fdb, struct fdb_batch *batch, const struct header_runs *runs, unsigned i)
{
	const struct frame *frame = runs->frame[i];

	batch->of[i] = FDB_BATCH_NONE;
	if (runs->dest[i] < DEST_FORWARD)
		return;
	uint64_t mac = mac_load(frame->head + MAC_BYTES);
	batch->of[i] = (uint8_t)fdb_query_add(fdb, &batch->query, fdb_key(mac, frame->vlan));
}

/** Add the destination address of a run whose `dest` is DEST_LOOKUP. @param i index of the run */
static inline void
fdb_batch_add_destination(
	const struct fdb *fdb, struct fdb_batch *batch, const struct header_runs *runs, unsigned i)
{
	const struct frame *frame = runs->frame[i];

	batch->of[i] = FDB_BATCH_NONE;
	if (runs->dest[i] == DEST_LOOKUP)
		batch->of[i] = (uint8_t)fdb_query_add(
			fdb, &batch->query, fdb_key(mac_load(frame->head), frame->vlan));
}

/** Begin a query for the source addresses of all runs that are not dropped. */
static inline void
header_runs_sources(const struct fdb *fdb, const struct header_runs *runs, struct fdb_batch *batch)
{
	batch->query.n = 0;
	for (unsigned i = 0; i < runs->n; i++)
		fdb_batch_add_source(fdb, batch, runs, i);
}

/** Begin a query for the destination addresses of all runs whose destination depends on the FDB. */
static inline void
header_runs_destinations(
	const struct fdb *fdb, const struct header_runs *runs, struct fdb_batch *batch)
{
	batch->query.n = 0;
	for (unsigned i = 0; i < runs->n; i++)
		fdb_batch_add_destination(fdb, batch, runs, i);
}

/**
 * Learn the sources, and prepare the destinations for fdb_lookup_burst(). Both queries search the
 * FDB before learning, so that their memory accesses overlap. The destinations are searched again
 * if learning changed the FDB.
 *
 * @param port id of the port that the sources are learned at
 * @return number of source addresses that could not be learnt
 */
static inline unsigned
header_runs_learn(
	struct fdb *fdb, struct fdb_batch *sources, uint16_t port, struct fdb_batch *destinations)
{
	fdb_query_look(fdb, &destinations->query);
	fdb_query_look(fdb, &sources->query);
	unsigned missed = fdb_learn_burst(fdb, &sources->query, port);
	if (sources->query.changed)
		fdb_query_look(fdb, &destinations->query);
	return missed;
}

/** Give each frame the destination of its run. */
static inline void
header_runs_apply(const struct header_runs *runs, struct burst *burst)
{
	for (unsigned i = 0; i < burst->n; i++)
		burst->dest[i] = runs->dest[runs->of[i]];
}

#endif
