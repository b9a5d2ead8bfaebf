/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: frames of a burst leave by a tx port. A line without a way back: the egress stages of the
 * port, copies that they made for other ports, the driver. Ports without stages skip to the driver.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_OUTPUT_H
#define SHUNT_DATAPATH_OUTPUT_H

#include "datapath/context.h"

/** Frames on their way to one tx port, in order. */
struct output {
	struct burst_context *context;
	uint16_t port;
	uint16_t taken; /**< number of frames that this output began with */
	uint16_t n;
	uint16_t n_dropped;
	struct frame *frame[FRAME_BURST];
	struct frame *dropped[FRAME_BURST]; /**< by output_drop() */
};

/** An egress stage of a port: a function with its immutable state. */
struct egress_stage {
	/**
	 * Replace, drop or copy frames of the output. A stage that cannot take all frames at once
	 * lowers `n` and `taken` by the frames at the end that it leaves for a next run.
	 */
	void (*run)(struct output *output, const void *state);

	/**
	 * The driver has taken the frames. Those that the driver dropped have the reason in
	 * tx_drop, FRAME_SENT otherwise. NULL = nothing to do.
	 */
	void (*done)(struct output *output, const void *state);
	const void *state;
};

/** Append copies of frames for another port. Takes one more reference of each frame. */
void output_copy(
	struct burst_context *context, uint16_t port, struct frame *const frames[], uint16_t n);

/** Drop a frame that is not in output->frame any more: counted, and freed at the end. */
static inline void
output_drop(struct output *output, enum drop_reason reason, struct frame *frame)
{
	frame->tx_drop = (uint8_t)reason;
	output->dropped[output->n_dropped++] = frame;
}

/** Send frames by one port. Takes one reference of each frame. @param n 1 to FRAME_BURST */
void output_frames(
	struct burst_context *context, uint16_t port, struct frame *const frames[], uint16_t n);

/**
 * Send the copies that stages appended, each by its port. They pass those egress stages of the port
 * that concern copies.
 */
void output_send_copies(struct burst_context *context);

/** The egress stage that drops frames longer than the port takes. */
void output_fit(struct output *output, const void *state);

#endif
