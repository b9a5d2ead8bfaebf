/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Egress filters of a port: they select the frames of a burst that the port may send, before any
 * frame is sent.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_FILTER_H
#define SHUNT_DATAPATH_FILTER_H

#include "datapath/context.h"

/** An egress filter: a function with its immutable state. */
struct egress_filter {
	/**
	 * Select frames. context->classify is that of the burst if the feature has a stage in
	 * INGRESS_HEADERS or INGRESS_TARGETS of every port.
	 *
	 * @param frames a bit for each frame of context->burst that is to leave by the port
	 * @return those of them that may
	 */
	uint32_t (*run)(const struct burst_context *context, const void *state, uint32_t frames);
	const void *state;
	enum drop_reason reason; /**< of unicast frames that the filter rejects */
	bool floods_only;        /**< not run on unicast frames: ingress stages select those */
};

#endif
