/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst: the frames received from one queue of a port, and the destination of each.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_BURST_H
#define SHUNT_DATAPATH_BURST_H

#include "fdb/fdb.h"
#include "port/port.h"

/** Destinations of a frame beside port ids. */
enum {
	DEST_GROUP = 0x1000, /**< plus an index of snapshot->groups->sets: to its ports */
	DEST_DROP = 0xff00,  /**< plus an enum drop_reason */
	/* This value and above: not dropped. */
	DEST_FORWARD = 0xfff0,
	DEST_LOOKUP = 0xfff0, /**< accepted, destination not looked up yet */
	/* This value and above: flooded. */
	DEST_FLOODS = 0xfffd,
	DEST_BROADCAST = 0xfffd,
	DEST_MULTICAST = 0xfffe,
	DEST_UNKNOWN = FDB_MISS,
};

_Static_assert((int)DEST_DROP + (int)DROP_COUNT <= (int)DEST_FORWARD, "every reason has a verdict");
_Static_assert((int)PORT_MAX <= (int)DEST_GROUP, "port ids and verdicts do not overlap");
_Static_assert((int)PORT_MAX <= (int)FDB_PORT_MAX, "every port has a place in the table");
_Static_assert((int)FRAME_BURST <= (int)FDB_BURST_MAX, "the table takes a whole burst");

struct burst {
	struct frame frame[FRAME_BURST]; /**< written by rx and classify */
	uint16_t dest[FRAME_BURST];      /**< written by the ingress stages */
	/** Written by ingress stages: `port`, or its member whose frame `port` reflects. */
	uint16_t source_port[FRAME_BURST];
	uint16_t n;
	uint16_t port;    /**< id of the rx port */
	uint32_t longest; /**< written by burst_measure(): bytes of the longest frame */
};

/** Set burst->longest from the frames just received. @return the sum of their bytes */
static inline uint64_t
burst_measure(struct burst *burst)
{
	uint32_t longest = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < burst->n; i++) {
		bytes += burst->frame[i].len;
		longest = RTE_MAX(longest, burst->frame[i].len);
	}
	burst->longest = longest;
	return bytes;
}

/** Collect the frames of a mask, a bit for each frame of the burst. @return their number */
static inline uint16_t
burst_frames(struct burst *burst, uint32_t mask, struct frame *frames[FRAME_BURST])
{
	uint16_t n = 0;

	for (; mask != 0; mask &= mask - 1)
		frames[n++] = &burst->frame[__builtin_ctz(mask)];
	return n;
}

/** Accept all frames as those of the rx port, before the stages that may drop some of them. */
static inline void
burst_accept(struct burst *burst)
{
	for (unsigned i = 0; i < FRAME_BURST; i++) {
		burst->dest[i] = DEST_LOOKUP;
		burst->source_port[i] = burst->port;
	}
}

#endif
