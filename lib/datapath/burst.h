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
	DEST_DROP = 0xff00, /**< plus an enum drop_reason */
	DEST_FLOOD = FDB_MISS,
};

_Static_assert((int)PORT_MAX < (int)DEST_DROP, "port ids and verdicts do not overlap");
_Static_assert((int)PORT_MAX <= (int)FDB_PORT_MAX, "every port has a place in the table");
_Static_assert((int)FRAME_BURST <= (int)FDB_BURST_MAX, "the table takes a whole burst");

struct burst {
	struct frame frame[FRAME_BURST]; /**< written by rx and classify */
	uint16_t dest[FRAME_BURST];      /**< written by classify */
	uint16_t n;
	uint16_t port; /**< id of the port the frames came from */
};

#endif
