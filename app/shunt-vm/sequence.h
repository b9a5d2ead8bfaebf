/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exact counts of lost, duplicated and reordered frames of one flow of numbered frames.
 *
 * A frame is a duplicate when its number was received before, reordered when the same receive queue
 * delivered a higher number earlier (a swap of two neighbours is one reordered frame), lost when it
 * is never received. Numbers have 32 bits and wrap. The last SEQUENCE_WINDOW numbers are stored: an
 * older frame counts as reordered, never as a duplicate.
 *
 * Thread safety: a sequence belongs to the thread of its receiver.
 */
#ifndef SHUNT_VM_SEQUENCE_H
#define SHUNT_VM_SEQUENCE_H

#include <stdint.h>

enum { SEQUENCE_WINDOW = 65536, SEQUENCE_WORDS = SEQUENCE_WINDOW / 64 };

struct sequence {
	uint64_t next;     /**< highest number received plus 1, extended to 64 bits */
	uint64_t received; /**< frames that are not duplicates */
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t seen[SEQUENCE_WORDS]; /**< bit number % window: received; window ends at next */
};

/** State of one receive queue: the highest number that it delivered, plus 1. */
struct sequence_order {
	uint64_t next;
};

/**
 * Count one frame.
 *
 * @param order of the queue that delivered it
 * @param number of the frame; a flow starts at 0
 */
void sequence_add(struct sequence *sequence, struct sequence_order *order, uint32_t number);

#endif
