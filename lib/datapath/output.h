/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: sends frames of a burst by a tx port, in three steps: the egress stages of the port, the
 * copies that these stages made for other ports, the driver's tx. Ports without egress stages have
 * the last step only.
 *
 * Thread safety: the polling lcore of the burst context.
 */
#ifndef SHUNT_DATAPATH_OUTPUT_H
#define SHUNT_DATAPATH_OUTPUT_H

#include "datapath/context.h"

/** Frames that are sent by one tx port, in order. */
struct output {
	struct burst_context *context;
	uint16_t port;
	uint16_t
		taken; /**< frames of the caller that this output sends or drops, from the first on */
	uint16_t n;
	uint16_t n_dropped;
	bool exclusive; /**< the frames have this tx port only, and may be changed */
	struct frame *frame[FRAME_BURST];
	struct frame *dropped[FRAME_BURST]; /**< by output_drop() */
};

/** An egress stage of a port: a function with its immutable state. */
struct egress_stage {
	/**
	 * Replace, drop or copy frames of the output. A stage that cannot process all frames at once
	 * lowers `n` and `taken`: a further output takes the frames at the end.
	 */
	void (*run)(struct output *output, const void *state);

	/**
	 * The driver has taken the frames. Those that the driver dropped have the reason in
	 * tx_drop, FRAME_SENT otherwise. NULL = nothing to do.
	 */
	void (*done)(struct output *output, const void *state);
	const void *state;
};

/**
 * Append copies of frames, which output_send_copies() sends. Adds a reference to each mbuf.
 *
 * @param port id of the tx port of the copies
 * @param frames must stay valid until the copies have been sent
 * @param n up to FRAME_BURST; 0 appends nothing
 */
void output_copy(
	struct burst_context *context, uint16_t port, struct frame *const frames[], uint16_t n);

/**
 * Drop a frame that the stage has removed from output->frame. The frame is counted in tx_drops, and
 * freed at the end of the output.
 *
 * @param reason of the drop
 */
static inline void
output_drop(struct output *output, enum drop_reason reason, struct frame *frame)
{
	frame->tx_drop = (uint8_t)reason;
	output->dropped[output->n_dropped++] = frame;
}

/**
 * Send frames by one port. Releases one reference of each, sent or dropped, once the port has no
 * more use for the frame.
 *
 * @param port id of the tx port
 * @param frames frames of context->burst
 * @param n 1 to FRAME_BURST
 * @param exclusive the frames have this tx port only; stages may change them
 */
void output_frames(struct burst_context *context, uint16_t port, struct frame *const frames[],
	uint16_t n, bool exclusive);

/**
 * Send the copies that stages appended, each by its port. Of the egress stages of the port, copies
 * pass only those that run on copies, see struct feature_stages.
 */
void output_send_copies(struct burst_context *context);

/** The egress stage that drops frames longer than max_len of the port. @param state ignored */
void output_length_stage(struct output *output, const void *state);

#endif
