/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the switch would do with a frame, now: it runs through the stages of the data path, with the
 * table and the rules that hold at the moment, and drivers that only take notes. Nothing is learnt,
 * sent or counted.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_DATAPATH_TRACE_H
#define SHUNT_DATAPATH_TRACE_H

#include "datapath/burst.h"
#include "datapath/datapath.h"

enum { TRACE_HEAD = 64, TRACE_FRAME_MAX = 65535 };

/** A port that the frame comes to. */
struct trace_exit {
	uint16_t port;
	int drop;                 /**< an enum drop_reason; -1 = it leaves */
	uint32_t len;             /**< as it leaves */
	uint8_t head[TRACE_HEAD]; /**< its first bytes as it leaves */
};

struct trace {
	uint16_t vlan;
	bool tagged;     /**< by its own tag */
	uint16_t dest;   /**< the verdict, as burst.h says them */
	uint16_t origin; /**< the port that it is from, reflected or not */
	unsigned exits;
	struct trace_exit exit[2 * PORT_MAX]; /**< copies of mirrored ports among them */
};

struct tracer;

/**
 * Set up to trace frames through what is published at the moment. Control must publish nothing
 * until tracer_destroy().
 *
 * @param fdb the table of the data path
 * @return NULL when there is no memory
 */
struct tracer *tracer_create(const struct datapath *datapath, struct fdb *fdb);
void tracer_destroy(struct tracer *tracer);

/**
 * A complete frame comes in at a port.
 *
 * @param len TRACE_FRAME_MAX at most
 * @param head how many of its first bytes the port's driver has classified
 * @param trace receives what happens to it
 */
void tracer_frame(struct tracer *tracer, uint16_t port, const uint8_t *bytes, uint32_t len,
	uint16_t head, struct trace *trace);

/** The rules of a port; NULL = plain switching. */
const struct rules *tracer_rules(const struct tracer *tracer, uint16_t port);

#endif
