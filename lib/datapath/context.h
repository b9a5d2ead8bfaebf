/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The burst context: the data that stages of the data path work on, one for each polling lcore.
 * Ingress stages work on the burst of an rx queue, egress stages on the frames for one tx port.
 *
 * Thread safety: belongs to one polling lcore; the control thread reads the counters.
 */
#ifndef SHUNT_DATAPATH_CONTEXT_H
#define SHUNT_DATAPATH_CONTEXT_H

#include "datapath/header_runs.h"
#include "lcore/topology.h"
#include "vlan/rewrite.h"

enum {
	OUTPUT_COPIES_MAX = 16, /**< lists of copies at a time: one for each stage that makes any */
};

struct snapshot;

/** Copies of frames for another port, appended by an ingress or egress stage. */
struct output_copies {
	uint16_t port;
	uint16_t n;
	struct frame *frame[FRAME_BURST];
};

/** Classification of a burst by header runs. */
struct classification {
	struct header_runs runs;
	uint16_t source_port[FRAME_BURST]; /**< per run, as burst->source_port */
	uint16_t reserved; /**< reserved destinations that are accepted, a bit per last byte */
	bool learns;       /**< source addresses are learned */
	bool decided;      /**< stages set all destinations: nothing is looked up */
};

/** Data of the stages on one polling lcore, and its counters. */
struct burst_context {
	const struct snapshot *snapshot; /**< of the round */
	struct fdb *fdb;
	uint16_t lcore_id;
	bool trace_only; /**< learn nothing and change no shared state, see trace.h */
	struct burst burst;
	struct classification classify; /**< written by the stages of classification */
	unsigned n_copies;              /**< lists of copies that wait for output_send_copies() */
	struct output_copies copies[OUTPUT_COPIES_MAX];
	uint8_t learn_backoff
		[PORT_MAX]; /**< by port: number of bursts still to come without learning */
	struct vlan_rewrite rewrite;                     /**< frames rewritten for one output */
	_Alignas(64) struct counters counters[PORT_MAX]; /**< read by the control thread */
};

#endif
