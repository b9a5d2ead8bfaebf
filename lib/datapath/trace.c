/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces single frames: forwards them through the stages to recording drivers. */
#include "datapath/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "datapath/classify.h"
#include "datapath/datapath.h"
#include "datapath/forward.h"
#include "datapath/ingress.h"
#include "datapath/snapshot.h"

/** Device of the recording driver of a tx port. */
struct trace_port {
	struct tracer *tracer;
	uint16_t id;
};

struct tracer {
	struct snapshot *snapshot; /**< copy of the published one, with recording drivers for tx */
	struct trace_port port[PORT_MAX];
	struct burst_context context;
	struct trace *trace; /**< result for the current frame */
};

/** Add a tx port to the result. @param drop as trace_exit.drop @param frame NULL if dropped */
static void
trace_add_exit(struct trace *trace, uint16_t port, int drop, const struct frame *frame)
{
	struct trace_exit *exit = &trace->exit[trace->exits++];

	*exit = (struct trace_exit){.port = port, .drop = drop};
	if (frame == NULL)
		return;
	exit->len = frame->len;
	memcpy(exit->head, frame->head, RTE_MIN(frame->head_len, (uint16_t)TRACE_HEAD));
}

/** The tx function of the recording driver. */
static void
trace_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	const struct trace_port *port = dev;

	(void)lcore_id;
	(void)counters;
	for (uint16_t i = 0; i < n; i++)
		trace_add_exit(port->tracer->trace, port->id, -1, frames[i]);
}

struct tracer *
tracer_create(const struct datapath *datapath, struct fdb *fdb)
{
	struct tracer *tracer = NULL;

	if (posix_memalign((void **)&tracer, 64, sizeof(*tracer)) != 0)
		return NULL;
	memset(tracer, 0, sizeof(*tracer));
	tracer->snapshot = malloc(sizeof(*tracer->snapshot));
	if (tracer->snapshot == NULL) {
		free(tracer);
		return NULL;
	}
	*tracer->snapshot = *datapath_snapshot(datapath);
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		struct snapshot_target *target = &tracer->snapshot->target[id];
		tracer->port[id] = (struct trace_port){tracer, id};
		if (target->tx == NULL)
			continue;
		target->tx = trace_tx;
		target->dev = &tracer->port[id];
	}
	tracer->context.fdb = fdb;
	tracer->context.trace_only = true;
	tracer->context.snapshot = tracer->snapshot;
	return tracer;
}

void
tracer_destroy(struct tracer *tracer)
{
	if (tracer == NULL)
		return;
	free(tracer->snapshot);
	free(tracer);
}

/** Add a tx port to the result for each reason of its drop counters, and reset these. */
static void
trace_add_drops(struct tracer *tracer, uint16_t port)
{
	struct counters *counters = &tracer->context.counters[port];

	for (int reason = 0; reason < DROP_COUNT; reason++)
		if (counters->tx_drops[reason] > 0)
			trace_add_exit(tracer->trace, port, reason, NULL);
	*counters = (struct counters){0};
}

/**
 * Drop a frame whose destination is its own source address. On the data path the source is learnt
 * before the lookup, which finds the rx port; nothing is learnt from trace-only frames.
 */
static void
trace_own_address(const struct tracer *tracer, struct burst *burst)
{
	const struct frame *frame = &burst->frame[0];
	const struct snapshot_stages *stages = tracer->snapshot->stages[burst->port];

	if (burst->dest[0] == DEST_UNKNOWN && frame->head_len >= FRAME_MACS_LEN &&
		!mac_is_group(mac_load(frame->head)) &&
		(stages == NULL || stages->classify.learn) &&
		memcmp(frame->head, frame->head + MAC_BYTES, MAC_BYTES) == 0)
		burst->dest[0] = DEST_DROP + DROP_SAME_PORT;
}

void
tracer_frame(struct tracer *tracer, uint16_t port, const uint8_t *bytes, uint32_t len,
	uint16_t head, struct trace *trace)
{
	const struct frame_segment whole = {bytes, len};
	struct burst *burst = &tracer->context.burst;

	tracer->trace = trace;
	trace->exits = 0;
	burst->port = port;
	burst->n = 1;
	burst->frame[0] = (struct frame){
		.head = bytes,
		.head_len = (uint16_t)RTE_MIN(len, head),
		.len = len,
		.segment = &whole,
		.segments = 1,
	};
	(void)burst_measure(burst);
	burst->source_port[0] = port;
	const struct ingress_stage *stages = snapshot_ingress(tracer->snapshot, port);
	if (stages != NULL)
		ingress_run(&tracer->context, stages);
	else
		classify_plain_stage(&tracer->context, NULL);
	trace_own_address(tracer, burst);
	trace->vlan = burst->frame[0].vlan;
	trace->tagged = burst->frame[0].l2_len > FRAME_ETH_LEN;
	trace->source_port = burst->source_port[0];
	forward_burst(&tracer->context);
	trace->dest = burst->dest[0]; /* changed if the flood had no target */
	for (uint16_t id = 0; id < PORT_MAX; id++)
		trace_add_drops(tracer, id);
}
