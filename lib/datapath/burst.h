/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst on its way through the stages: frames that one port's queue delivered, and where each of
 * them is to go.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_BURST_H
#define SHUNT_DATAPATH_BURST_H

#include "fdb/fdb.h"
#include "port/port.h"

/** Destinations beside port ids. */
enum {
	DEST_GROUP = 0x1000, /**< plus a set of the snapshot's groups: to its ports */
	DEST_DROP = 0xff00,  /**< plus an enum drop_reason */
	/* From here on: not dropped. */
	DEST_FORWARD = 0xfff0,
	DEST_LOOKUP = 0xfff0, /**< of classify alone: passed the ingress rules, goes by the table */
	/* From here on: to everybody. */
	DEST_FLOODS = 0xfffd,
	DEST_BROADCAST = 0xfffd,
	DEST_MULTICAST = 0xfffe,
	DEST_UNKNOWN = FDB_MISS,
	DEST_FLOOD = FDB_MISS, /**< where the kind makes no difference */
};

_Static_assert((int)DEST_DROP + (int)DROP_COUNT <= (int)DEST_FORWARD, "every reason has a verdict");
_Static_assert((int)PORT_MAX <= (int)DEST_GROUP, "port ids and verdicts do not overlap");
_Static_assert((int)PORT_MAX <= (int)FDB_PORT_MAX, "every port has a place in the table");
_Static_assert((int)FRAME_BURST <= (int)FDB_BURST_MAX, "the table takes a whole burst");

struct burst {
	struct frame frame[FRAME_BURST]; /**< written by rx and classify */
	uint16_t dest[FRAME_BURST];      /**< written by classify */
	/** Written by ingress: the port that a frame comes from, reflected by `port` or not. */
	uint16_t origin[FRAME_BURST];
	uint16_t n;
	uint16_t port;    /**< id of the port the frames came from */
	uint32_t longest; /**< written by burst_measure(): bytes of the longest frame */
};

/** Look at the lengths of frames just received. @return the sum of their bytes */
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

#endif
