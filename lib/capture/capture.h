/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running capture: a ring for each polling lcore in memory shared with the reading process, and
 * the filter, directions and length that select frames.
 *
 * Thread safety: created and destroyed by the control thread, the latter once no polling lcore
 * uses it any more. capture_frame(), capture_publish() and capture_defer() are for the polling
 * lcore whose `lcore_id` is given.
 */
#ifndef SHUNT_CAPTURE_CAPTURE_H
#define SHUNT_CAPTURE_CAPTURE_H

#include "capture/filter.h"
#include "capture/ring.h"
#include "frame/frame.h"

enum { CAPTURE_LCORES_MAX = 64, CAPTURE_TOTAL_MAX = 64 << 20 };

/** Configuration of a capture: the frames that it records, and their length. */
struct capture_config {
	uint32_t snaplen;   /**< bytes recorded of a frame, 1 to CAPTURE_SNAPLEN_MAX */
	uint8_t directions; /**< bits of enum capture_direction */
	unsigned lcores;    /**< polling lcores that may ever run, up to CAPTURE_LCORES_MAX */
	const struct bpf_insn *program; /**< copied */
	unsigned insns;                 /**< 0 = every frame */
};

struct capture;

/** Create a capture. @return NULL with the reason in err: an invalid filter, no memory */
struct capture *capture_create(const struct capture_config *config, struct err *err);

/** Free a capture; NULL is ignored. */
void capture_destroy(struct capture *capture);

/** @return the descriptor of the shared memory, a ring for each lcore; owned by the capture */
int capture_fd(const struct capture *capture);

/** @return bytes for records in each ring */
size_t capture_ring_size(const struct capture *capture);

/**
 * Check whether frames of a direction are captured.
 *
 * @param direction CAPTURE_RX or CAPTURE_TX
 * @return true if they are
 */
bool capture_wants(const struct capture *capture, enum capture_direction direction);

/**
 * Record a frame if its direction is captured and the filter passes it. If the ring is full, the
 * frame is counted as lost.
 *
 * @param lcore_id of the calling lcore, below CAPTURE_LCORES_MAX
 * @param record tsc, reason and direction are used
 * @return the record, whose reason may be written until it is published; NULL if there is none
 */
struct capture_record *capture_frame(struct capture *capture, unsigned lcore_id,
	const struct frame *frame, struct capture_record record);

/**
 * Get space for pointers to the records of a burst, to be kept until the reasons are known. There
 * is an array for each direction.
 *
 * @param lcore_id as for capture_frame()
 * @param direction CAPTURE_RX or CAPTURE_TX
 * @return FRAME_BURST entries, for the caller's use; NULL if the capture has no ring for the lcore
 */
struct capture_record **capture_pending(
	struct capture *capture, unsigned lcore_id, enum capture_direction direction);

/** Publish the records to the reader, unless deferred. @param lcore_id as for capture_frame() */
void capture_publish(struct capture *capture, unsigned lcore_id);

/**
 * Defer publication, or end the deferral and publish all records written meanwhile.
 *
 * @param lcore_id as for capture_frame()
 * @param defer true to defer, false to end the deferral
 */
void capture_defer(struct capture *capture, unsigned lcore_id, bool defer);

#endif
