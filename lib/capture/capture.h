/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture under way: a ring for each polling lcore in memory that is shared with whoever reads,
 * and what of the frames is wanted.
 *
 * Thread safety: created and destroyed by the control thread, the latter once no polling lcore
 * knows of it any more. capture_frame() and capture_publish() are for the polling lcore of that
 * lcore.
 */
#ifndef SHUNT_CAPTURE_CAPTURE_H
#define SHUNT_CAPTURE_CAPTURE_H

#include "capture/filter.h"
#include "capture/ring.h"
#include "frame/frame.h"

enum { CAPTURE_LCORES_MAX = 64, CAPTURE_TOTAL_MAX = 64 << 20 };

struct capture_config {
	uint32_t snaplen;   /**< bytes of a frame at most, 1 to CAPTURE_SNAPLEN_MAX */
	uint8_t directions; /**< of enum capture_direction */
	unsigned lcores;    /**< polling lcores, now or later; up to CAPTURE_LCORES_MAX */
	const struct bpf_insn *program; /**< copied */
	unsigned insns;                 /**< 0 = every frame */
};

struct capture;

/** @return NULL with the reason in err: a filter that is none, no memory */
struct capture *capture_create(const struct capture_config *config, struct err *err);

/** NULL is fine. */
void capture_destroy(struct capture *capture);

/** The shared memory: rings side by side, one for each lcore. Stays the capture's. */
int capture_fd(const struct capture *capture);

/** Bytes of records in each ring. */
size_t capture_ring_size(const struct capture *capture);

/** Are frames of this direction wanted? */
bool capture_wants(const struct capture *capture, enum capture_direction direction);

/**
 * Record a frame, unless its filter does not pass it or the ring is full, which is counted.
 *
 * @param record what is known of it: tsc, reason and direction are used
 * @return its record, whose reason may be written until it is published; NULL: there is none
 */
struct capture_record *capture_frame(struct capture *capture, unsigned lcore_id,
	const struct frame *frame, struct capture_record record);

/** Show what was recorded, unless capture_defer() says otherwise. */
void capture_publish(struct capture *capture, unsigned lcore_id);

/** From now on nothing is shown; or again, beginning with all that was recorded meanwhile. */
void capture_defer(struct capture *capture, unsigned lcore_id, bool defer);

#endif
