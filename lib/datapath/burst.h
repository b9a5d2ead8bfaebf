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

/** Destinations of a frame that are not port ids; those are below PORT_MAX. */
enum {
	DEST_GROUP =
		0x1000,     /**< plus an index of snapshot->groups->sets: to the ports of the set */
	DEST_DROP = 0xff00, /**< plus an enum drop_reason */
	/*
	 * From here on: accepted, and not for one port or group. Before the lookup no frame is for a
	 * port or group, so that lower values are drops.
	 */
	DEST_FORWARD = 0xfff0,
	DEST_LOOKUP = 0xfff0, /**< accepted, destination not looked up yet */
	/* From here on: flooded. */
	DEST_FLOODS = 0xfffd,
	DEST_BROADCAST = 0xfffd,
	DEST_MULTICAST = 0xfffe,
	DEST_UNKNOWN = FDB_MISS, /**< unicast address that is not in the FDB */
};

_Static_assert(
	(int)DEST_DROP + (int)DROP_COUNT <= (int)DEST_FORWARD, "every reason has a destination");
_Static_assert((int)PORT_MAX <= (int)DEST_GROUP, "port ids and groups do not overlap");
_Static_assert((int)PORT_MAX <= (int)FDB_PORT_MAX, "every port has a place in the table");
_Static_assert((int)FRAME_BURST <= (int)FDB_BURST_MAX, "the table takes a whole burst");

/** Frames received from one rx queue at once, and where each goes. */
struct burst {
	struct frame frame[FRAME_BURST]; /**< written by rx and classify */
	uint16_t dest[FRAME_BURST];      /**< written by the ingress stages */
	/** Written by ingress stages: `port`; of a frame that an uplink reflects, the member port. */
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

/**
 * Collect frames of a burst, in rx order.
 *
 * @param mask a bit for each frame of the burst
 * @param frames receives the frames
 * @return number of frames
 */
static inline uint16_t
burst_frames(struct burst *burst, uint32_t mask, struct frame *frames[FRAME_BURST])
{
	uint16_t n = 0;

	for (; mask != 0; mask &= mask - 1)
		frames[n++] = &burst->frame[__builtin_ctz(mask)];
	return n;
}

/** Reset the results of ingress: all frames are accepted, with the rx port as source port. */
static inline void
burst_accept(struct burst *burst)
{
	for (unsigned i = 0; i < FRAME_BURST; i++) {
		burst->dest[i] = DEST_LOOKUP;
		burst->source_port[i] = burst->port;
	}
}

#endif
