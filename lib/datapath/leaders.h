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
 * @param sources whether anything is said of the source
 */
static inline bool
leaders_same(const struct frame *a, const struct frame *b, bool sources)
{
	int same = sources ? 0 : LEADERS_SOURCE;

	if (unlikely(a->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN ||
		     b->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN))
		return false;
	same |= _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)a->head),
		_mm_loadu_si128((const __m128i *)b->head)));
	return same == LEADERS_ALL;
}

/**
 * Learn where the sources of frames that may be forwarded are; group addresses are no source.
 *
 * @return how many could not be learnt
 */
static inline unsigned
leaders_learn(struct fdb *fdb, const struct leaders *leaders, uint16_t port)
{
	uint64_t keys[FRAME_BURST];
	uint16_t ports[FRAME_BURST];
	unsigned n = 0;

	for (unsigned i = 0; i < leaders->n; i++) {
		if (leaders->dest[i] < DEST_FORWARD)
			continue;
		uint64_t mac = mac_load(leaders->frame[i]->head + MAC_BYTES);
		keys[n] = fdb_key(mac, leaders->frame[i]->vlan);
		ports[n] = port;
		n += !mac_is_group(mac) && mac != 0;
	}
	return n > 0 ? fdb_learn_burst(fdb, keys, ports, n) : 0;
}

/** Leaders whose destination the table knows, if anybody does. */
struct targets {
	uint64_t key[FRAME_BURST];
	uint8_t leader[FRAME_BURST];
	unsigned n;
};

static inline void
leaders_targets(const struct leaders *leaders, struct targets *targets)
{
	targets->n = 0;
	for (unsigned i = 0; i < leaders->n; i++) {
		if (leaders->dest[i] != DEST_LOOKUP)
			continue;
		targets->key[targets->n] =
			fdb_key(mac_load(leaders->frame[i]->head), leaders->frame[i]->vlan);
		targets->leader[targets->n++] = (uint8_t)i;
	}
}

/** Each frame goes where its leader goes. */
static inline void
leaders_follow(const struct leaders *leaders, struct burst *burst)
{
	for (unsigned i = 0; i < burst->n; i++)
		burst->dest[i] = leaders->dest[leaders->of[i]];
}

#endif
