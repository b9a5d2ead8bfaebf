/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace-only forwarding: the stages of the data path process a frame with the current FDB and the
 * published snapshot. Recording drivers in place of the ports' note the ports that would send the
 * frame. Nothing is learnt, sent or counted.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_DATAPATH_TRACE_H
#define SHUNT_DATAPATH_TRACE_H

#include "datapath/burst.h"

enum { TRACE_HEAD = 64, TRACE_FRAME_MAX = 65535 };

/** A tx port of the frame: sent by the port, or dropped there. */
struct trace_exit {
	uint16_t port;
	int drop;                 /**< an enum drop_reason; -1 = transmitted */
	uint32_t len;             /**< bytes as transmitted, without FCS; 0 = dropped */
	uint8_t head[TRACE_HEAD]; /**< first bytes as transmitted */
};

/** Result of a trace. */
struct trace {
	uint16_t vlan;        /**< VLAN id; 0 = none */
	bool tagged;          /**< received with a tag */
	uint16_t dest;        /**< as burst->dest */
	uint16_t source_port; /**< as burst->source_port */
	unsigned exits;
	struct trace_exit exit[2 * PORT_MAX]; /**< mirror ports included */
};

struct datapath;
struct tracer;

/**
 * Create a tracer on the published snapshot. No other snapshot may be published until
 * tracer_destroy().
 *
 * @param fdb the FDB of the data path
 * @return NULL when there is no memory
 */
struct tracer *tracer_create(const struct datapath *datapath, struct fdb *fdb);
/** Free a tracer; NULL is ignored. */
void tracer_destroy(struct tracer *tracer);

/**
 * Trace a complete frame, without FCS, as received by a port.
 *
 * @param port id of the rx port, which the snapshot has
 * @param bytes the frame; untrusted
 * @param len bytes, up to TRACE_FRAME_MAX
 * @param head bytes that the port's driver passes as frame->head, at most
 * @param trace receives the result
 */
void tracer_frame(struct tracer *tracer, uint16_t port, const uint8_t *bytes, uint32_t len,
	uint16_t head, struct trace *trace);

#endif
