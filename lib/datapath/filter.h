/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Egress filters of a port: they decide which frames of a burst may leave by it, before any is sent.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_FILTER_H
#define SHUNT_DATAPATH_FILTER_H

#include "datapath/context.h"

/** An egress filter: a function with its immutable state. */
struct egress_filter {
	/**
	 * Select frames.
	 *
	 * @param frames a bit for each frame of context->burst that is to leave by the port
	 * @return those of them that may
	 */
	uint32_t (*run)(const struct burst_context *context, const void *state, uint32_t frames);
	const void *state;
	enum drop_reason reason; /**< of unicast frames that may not */
	bool floods_only;        /**< unicast frames have been decided about by ingress stages */
};

#endif
