/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a burst that differ from the one before. Guests send in trains: a few frames stand for
 * all, and what is said of them holds for those that follow.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_LEADERS_H
#define SHUNT_DATAPATH_LEADERS_H

#include <emmintrin.h>

#include "base/mac.h"
#include "datapath/burst.h"

struct leaders {
	const struct frame *frame[FRAME_BURST];
	uint16_t dest[FRAME_BURST];
	uint8_t of[FRAME_BURST]; /**< for each frame of the burst, which one leads */
	unsigned n;
};

/** As many bytes of a frame tell where it goes: addresses, type, and what a tag says. */
enum { LEADERS_BYTES = FRAME_ETH_LEN + 2 };

/** Sets of these bytes, by bit. */
enum {
	LEADERS_ALL = (1 << LEADERS_BYTES) - 1,
	LEADERS_SOURCE = ((1 << MAC_BYTES) - 1) << MAC_BYTES,
};

_Static_assert(LEADERS_BYTES == sizeof(__m128i), "compared at once");

/**
 * Would everything said of one frame hold for the other?
 *
 * @param sources whether anything is said of the source, beside that frames may come from it
 */
static inline bool
leaders_same(const struct frame *a, const struct frame *b, bool sources)
{
	int same = sources ? 0 : LEADERS_SOURCE;

	if (unlikely(a->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN ||
		     b->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN))
		return false;
	if (!sources && (!mac_is_source(mac_load(a->head + MAC_BYTES)) ||
				!mac_is_source(mac_load(b->head + MAC_BYTES))))
		return false;
	same |= _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a->head),
		_mm_loadu_si128((const __m128i *)b->head)));
	return same == LEADERS_ALL;
}

/** Addresses of leaders that the table is asked for: of neighbours that are alike only once. */
struct asked {
	struct fdb_query query;
	uint8_t of[FRAME_BURST]; /**< for each leader its place in the query, or ASKED_NOT */
};

enum { ASKED_NOT = UINT8_MAX };

/** Has the table been asked about that leader? */
static inline bool
asked_is(const struct asked *asked, unsigned leader)
{
	return asked->of[leader] != ASKED_NOT;
}

/** @return what it answered: a port id, or FDB_MISS */
static inline uint16_t
asked_port(const struct asked *asked, unsigned leader)
{
	return asked_is(asked, leader) ? asked->query.port[asked->of[leader]] : FDB_MISS;
}

/** Ask for the source of a leader that may be forwarded. */
static inline void
asked_source(const struct fdb *fdb, struct asked *asked, const struct leaders *leaders, unsigned i)
{
	const struct frame *frame = leaders->frame[i];

	asked->of[i] = ASKED_NOT;
	if (leaders->dest[i] < DEST_FORWARD)
		return;
	uint64_t mac = mac_load(frame->head + MAC_BYTES);
	asked->of[i] = (uint8_t)fdb_query_add(fdb, &asked->query, fdb_key(mac, frame->vlan));
}

/** Ask for the destination of a leader, which the table knows if anybody does. */
static inline void
asked_target(const struct fdb *fdb, struct asked *asked, const struct leaders *leaders, unsigned i)
{
	const struct frame *frame = leaders->frame[i];

	asked->of[i] = ASKED_NOT;
	if (leaders->dest[i] == DEST_LOOKUP)
		asked->of[i] = (uint8_t)fdb_query_add(
			fdb, &asked->query, fdb_key(mac_load(frame->head), frame->vlan));
}

static inline void
leaders_sources(const struct fdb *fdb, const struct leaders *leaders, struct asked *asked)
{
	asked->query.n = 0;
	for (unsigned i = 0; i < leaders->n; i++)
		asked_source(fdb, asked, leaders, i);
}

static inline void
leaders_targets(const struct fdb *fdb, const struct leaders *leaders, struct asked *asked)
{
	asked->query.n = 0;
	for (unsigned i = 0; i < leaders->n; i++)
		asked_target(fdb, asked, leaders, i);
}

/**
 * Learn where sources are, and look for targets: both first where most are, so that the memory that
 * the rest needs is waited for once.
 *
 * @return how many could not be learnt
 */
static inline unsigned
leaders_learn(struct fdb *fdb, struct asked *sources, uint16_t port, struct asked *targets)
{
	fdb_query_look(fdb, &targets->query);
	fdb_query_look(fdb, &sources->query);
	unsigned missed = fdb_learn_burst(fdb, &sources->query, port);
	if (sources->query.changed)
		fdb_query_look(fdb, &targets->query);
	return missed;
}

/** Each frame goes where its leader goes. */
static inline void
leaders_follow(const struct leaders *leaders, struct burst *burst)
{
	for (unsigned i = 0; i < burst->n; i++)
		burst->dest[i] = leaders->dest[leaders->of[i]];
}

#endif
