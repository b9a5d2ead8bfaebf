/* SPDX-License-Identifier: BSD-3-Clause */
/* Mirror and capture of the frames of a port. */
#include "datapath/taps.h"

#include <rte_cycles.h>

#include "datapath/worker.h"

static uint16_t
taps_mirror_of(const struct port *port, enum port_mirror unless)
{
	if (port->config.mirror[0] == '\0' || port->config.mirror_direction == unless)
		return PORT_NONE;
	return port->mirror;
}

bool
taps_are_needed(const struct port *port)
{
	return port->config.mirror[0] != '\0' || port->captures > 0;
}

void
taps_build(struct taps *taps, const struct port *port)
{
	*taps = (struct taps){
		.mirror_rx = taps_mirror_of(port, PORT_MIRROR_TX),
		.mirror_tx = taps_mirror_of(port, PORT_MIRROR_RX),
		.captures = (uint16_t)port->captures,
	};
	for (unsigned i = 0; i < port->captures; i++)
		taps->capture[i] = port->capture[i];
}

/** Send one more copy of each frame, counted as a copy of the port that is mirrored. */
static void
taps_mirror(struct worker *worker, const struct snapshot *snapshot, uint16_t port, uint16_t mirror,
	struct frame *const frames[], uint16_t n)
{
	if (mirror >= PORT_MAX || n == 0)
		return;
	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->mbuf != NULL)
			rte_pktmbuf_refcnt_update(frames[i]->mbuf, 1);
	worker->counters[port].rx_copies += n;
	tx_mirrored(worker, snapshot, mirror, frames, n);
}

/** Number of captures to use; trace-only frames are not captured. */
static uint16_t
taps_captures(const struct worker *worker, const struct taps *taps)
{
	return worker->trace_only ? 0 : taps->captures;
}

static void
taps_publish(const struct worker *worker, const struct taps *taps)
{
	for (uint16_t i = 0; i < taps_captures(worker, taps); i++)
		capture_publish(taps->capture[i], worker->lcore_id);
}

static void
taps_defer(const struct worker *worker, const struct taps *taps, bool defer)
{
	for (uint16_t i = 0; i < taps_captures(worker, taps); i++)
		capture_defer(taps->capture[i], worker->lcore_id, defer);
}

/** Record received frames. taps_fates() later sets the reason of those that are dropped. */
static void
taps_received(struct worker *worker, const struct taps *taps,
	struct capture_record *records[][FRAME_BURST])
{
	struct burst *burst = &worker->burst;
	const struct capture_record record = {
		.tsc = rte_rdtsc(), .direction = CAPTURE_RX, .reason = CAPTURE_KEPT};

	for (uint16_t c = 0; c < taps_captures(worker, taps); c++)
		for (uint16_t i = 0; i < burst->n; i++)
			records[c][i] = capture_frame(
				taps->capture[c], worker->lcore_id, &burst->frame[i], record);
}

/** Set the drop reason in the records of frames that were dropped at the rx port. */
static void
taps_fates(const struct worker *worker, const struct taps *taps,
	struct capture_record *records[][FRAME_BURST])
{
	const struct burst *burst = &worker->burst;

	for (uint16_t i = 0; i < burst->n; i++) {
		if (burst->dest[i] < DEST_DROP || burst->dest[i] >= DEST_FORWARD)
			continue;
		for (uint16_t c = 0; c < taps_captures(worker, taps); c++)
			if (records[c][i] != NULL)
				records[c][i]->reason = burst->dest[i] - DEST_DROP;
	}
}

void
taps_burst(struct worker *worker, const struct snapshot *snapshot, const struct taps *taps)
{
	struct capture_record *records[PORT_CAPTURES_MAX][FRAME_BURST];
	struct burst *burst = &worker->burst;
	struct frame *frames[FRAME_BURST];
	uint16_t n = 0;

	/* A frame without a complete Ethernet header must not reach a driver. */
	for (uint16_t i = 0; i < burst->n; i++)
		if (burst->frame[i].head_len >= FRAME_ETH_LEN)
			frames[n++] = &burst->frame[i];
	taps_defer(worker, taps, true);
	taps_received(worker, taps, records);
	taps_mirror(worker, snapshot, burst->port, taps->mirror_rx, frames, n);
	forward_burst(worker, snapshot);
	taps_fates(worker, taps, records);
	taps_defer(worker, taps, false);
}

void
taps_dropped(struct worker *worker, const struct taps *taps, bool received, enum drop_reason reason,
	struct frame *const frames[], uint16_t n)
{
	const struct capture_record record = {.tsc = rte_rdtsc(),
		.direction = received ? CAPTURE_RX : CAPTURE_TX,
		.reason = (uint16_t)reason};

	for (uint16_t c = 0; c < taps_captures(worker, taps); c++)
		for (uint16_t i = 0; i < n; i++)
			capture_frame(taps->capture[c], worker->lcore_id, frames[i], record);
	taps_publish(worker, taps);
}

/** Record a frame to be sent. @return false: no filter passed it, or all rings were full */
static bool
taps_leaving(struct worker *worker, const struct taps *taps, const struct frame *frame,
	uint64_t now, struct capture_record *records[])
{
	const struct capture_record record = {
		.tsc = now, .direction = CAPTURE_TX, .reason = CAPTURE_KEPT};
	bool any = false;

	for (uint16_t c = 0; c < taps_captures(worker, taps); c++) {
		records[c] = capture_frame(taps->capture[c], worker->lcore_id, frame, record);
		any = any || records[c] != NULL;
	}
	return any;
}

/** Send one recorded frame, and take its drop reason, if any, from the counters of the driver. */
static void
taps_send(struct worker *worker, const struct snapshot_target *target, struct frame *frame,
	struct counters *counters, struct capture_record *records[])
{
	const struct taps *taps = target->egress->taps;
	struct counters one = {0};
	int reason = 0;

	port_tx(worker, target, &frame, 1, &one);
	counters_add(counters, &one);
	while (reason < DROP_COUNT && one.tx_drops[reason] == 0)
		reason++;
	for (uint16_t c = 0; reason < DROP_COUNT && c < taps_captures(worker, taps); c++)
		if (records[c] != NULL)
			records[c]->reason = (uint16_t)reason;
}

/*
 * Recorded frames are passed to the driver one by one, since its counters are the only way to see
 * which of them it dropped, and why. The others are passed in bulk. The order is kept.
 */
static void
taps_captured(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	const struct taps *taps = target->egress->taps;
	struct capture_record *records[PORT_CAPTURES_MAX];
	uint64_t now = rte_rdtsc();
	uint16_t from = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (!taps_leaving(worker, taps, frames[i], now, records))
			continue;
		if (i > from)
			port_tx(worker, target, frames + from, i - from, counters);
		taps_send(worker, target, frames[i], counters, records);
		from = i + 1;
	}
	if (n > from)
		port_tx(worker, target, frames + from, n - from, counters);
	taps_publish(worker, taps);
}

void
taps_tx(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored)
{
	const struct snapshot_target *target = &snapshot->target[port];
	const struct taps *taps = target->egress->taps;
	struct counters *counters = &worker->counters[port];

	/* Never mirror a copy again: an intermediate configuration may have a loop of mirrors. */
	if (!mirrored)
		taps_mirror(worker, snapshot, port, taps->mirror_tx, frames, n);
	if (taps_captures(worker, taps) > 0)
		taps_captured(worker, target, frames, n, counters);
	else
		port_tx(worker, target, frames, n, counters);
}
