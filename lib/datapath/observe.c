/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that others are to see as well: mirrored, captured, or both. */
#include "datapath/observe.h"

#include <rte_cycles.h>

#include "datapath/worker.h"

static uint16_t
observers_mirror(const struct port *port, enum port_mirror unless)
{
	if (port->config.mirror[0] == '\0' || port->config.mirror_direction == unless)
		return PORT_NONE;
	return port->mirror;
}

bool
observers_are_there(const struct port *port)
{
	return port->config.mirror[0] != '\0' || port->captures > 0;
}

void
observers_build(struct observers *observers, const struct port *port)
{
	*observers = (struct observers){
		.mirror_rx = observers_mirror(port, PORT_MIRROR_TX),
		.mirror_tx = observers_mirror(port, PORT_MIRROR_RX),
		.captures = (uint16_t)port->captures,
	};
	for (unsigned i = 0; i < port->captures; i++)
		observers->capture[i] = port->capture[i];
}

/** One more copy of each frame, counted as a copy of the port that is mirrored. */
static void
observe_mirror(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	uint16_t mirror, struct frame *const frames[], uint16_t n)
{
	if (mirror >= PORT_MAX || n == 0)
		return;
	for (uint16_t i = 0; i < n; i++)
		if (frames[i]->mbuf != NULL)
			rte_pktmbuf_refcnt_update(frames[i]->mbuf, 1);
	worker->counters[port].rx_copies += n;
	tx_mirrored(worker, snapshot, mirror, frames, n);
}

/** A frame that is only traced is none to capture. */
static uint16_t
observe_captures(const struct worker *worker, const struct observers *observers)
{
	return worker->dry ? 0 : observers->captures;
}

static void
observe_publish(const struct worker *worker, const struct observers *observers)
{
	for (uint16_t i = 0; i < observe_captures(worker, observers); i++)
		capture_publish(observers->capture[i], worker->lane);
}

static void
observe_hold(const struct worker *worker, const struct observers *observers, bool hold)
{
	for (uint16_t i = 0; i < observe_captures(worker, observers); i++)
		capture_hold(observers->capture[i], worker->lane, hold);
}

/** Records of a received frame: its fate, where known by now. */
static void
observe_received(struct worker *worker, const struct observers *observers,
	struct capture_record *records[][FRAME_BURST])
{
	struct burst *burst = &worker->burst;
	const struct capture_record record = {
		.tsc = rte_rdtsc(), .direction = CAPTURE_RX, .reason = CAPTURE_KEPT};

	for (uint16_t c = 0; c < observe_captures(worker, observers); c++)
		for (uint16_t i = 0; i < burst->n; i++)
			records[c][i] = capture_frame(
				observers->capture[c], worker->lane, &burst->frame[i], record);
}

/** Frames that were dropped on their way say so, now that it is known. */
static void
observe_fates(const struct worker *worker, const struct observers *observers,
	struct capture_record *records[][FRAME_BURST])
{
	const struct burst *burst = &worker->burst;

	for (uint16_t i = 0; i < burst->n; i++) {
		if (burst->dest[i] < DEST_DROP || burst->dest[i] >= DEST_FORWARD)
			continue;
		for (uint16_t c = 0; c < observe_captures(worker, observers); c++)
			if (records[c][i] != NULL)
				records[c][i]->reason = burst->dest[i] - DEST_DROP;
	}
}

void
observe_burst(
	struct worker *worker, const struct snapshot *snapshot, const struct observers *observers)
{
	struct capture_record *records[PORT_CAPTURES_MAX][FRAME_BURST];
	struct burst *burst = &worker->burst;
	struct frame *frames[FRAME_BURST];
	uint16_t n = 0;

	/* What has no whole header is nothing to hand to a driver. */
	for (uint16_t i = 0; i < burst->n; i++)
		if (burst->frame[i].head_len >= FRAME_ETH_LEN)
			frames[n++] = &burst->frame[i];
	observe_hold(worker, observers, true);
	observe_received(worker, observers, records);
	observe_mirror(worker, snapshot, burst->port, observers->mirror_rx, frames, n);
	forward_burst(worker, snapshot);
	observe_fates(worker, observers, records);
	observe_hold(worker, observers, false);
}

void
observe_dropped(struct worker *worker, const struct observers *observers, bool received,
	enum drop_reason reason, struct frame *const frames[], uint16_t n)
{
	const struct capture_record record = {.tsc = rte_rdtsc(),
		.direction = received ? CAPTURE_RX : CAPTURE_TX,
		.reason = (uint16_t)reason};

	for (uint16_t c = 0; c < observe_captures(worker, observers); c++)
		for (uint16_t i = 0; i < n; i++)
			capture_frame(observers->capture[c], worker->lane, frames[i], record);
	observe_publish(worker, observers);
}

/** Records of a frame that leaves. @return false: nobody wanted it, or there was no room */
static bool
observe_leaving(struct worker *worker, const struct observers *observers, const struct frame *frame,
	uint64_t now, struct capture_record *records[])
{
	const struct capture_record record = {
		.tsc = now, .direction = CAPTURE_TX, .reason = CAPTURE_KEPT};
	bool any = false;

	for (uint16_t c = 0; c < observe_captures(worker, observers); c++) {
		records[c] = capture_frame(observers->capture[c], worker->lane, frame, record);
		any = any || records[c] != NULL;
	}
	return any;
}

/** Hand one frame to its driver, and learn from the counters what became of it. */
static void
observe_send(struct worker *worker, const struct snapshot_target *target, struct frame *frame,
	struct counters *counters, struct capture_record *records[])
{
	const struct observers *observers = target->egress->observers;
	struct counters one = {0};
	int reason = 0;

	tx_driver(worker, target, &frame, 1, &one);
	counters_add(counters, &one);
	while (reason < DROP_COUNT && one.tx_drops[reason] == 0)
		reason++;
	for (uint16_t c = 0; reason < DROP_COUNT && c < observe_captures(worker, observers); c++)
		if (records[c] != NULL)
			records[c]->reason = (uint16_t)reason;
}

/*
 * Frames of which there is a record go to the driver one by one: that is how it is known which of
 * them it dropped, and why. The others leave together, and all in order.
 */
static void
observe_captured(struct worker *worker, const struct snapshot_target *target,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	const struct observers *observers = target->egress->observers;
	struct capture_record *records[PORT_CAPTURES_MAX];
	uint64_t now = rte_rdtsc();
	uint16_t from = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (!observe_leaving(worker, observers, frames[i], now, records))
			continue;
		if (i > from)
			tx_driver(worker, target, frames + from, i - from, counters);
		observe_send(worker, target, frames[i], counters, records);
		from = i + 1;
	}
	if (n > from)
		tx_driver(worker, target, frames + from, n - from, counters);
	observe_publish(worker, observers);
}

void
observe_tx(struct worker *worker, const struct snapshot *snapshot, uint16_t port,
	struct frame *const frames[], uint16_t n, bool mirrored)
{
	const struct snapshot_target *target = &snapshot->target[port];
	const struct observers *observers = target->egress->observers;
	struct counters *counters = &worker->counters[port];

	/* What is mirrored here is not mirrored again, whatever control is in the middle of. */
	if (!mirrored)
		observe_mirror(worker, snapshot, port, observers->mirror_tx, frames, n);
	if (observe_captures(worker, observers) > 0)
		observe_captured(worker, target, frames, n, counters);
	else
		tx_driver(worker, target, frames, n, counters);
}
