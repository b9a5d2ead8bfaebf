/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of the numbered frames of one flow: lost, duplicated, reordered, counted exactly.
 *
 * A frame is a duplicate when its number was seen before, reordered when a higher number came
 * before it in the same receive queue (a swap of two neighbours is one reordered frame), lost when
 * it never came. Numbers are 32 bits and wrap. SEQUENCE_WINDOW of them are remembered: a frame that
 * comes later than that counts as reordered, never as a duplicate.
 *
 * Thread safety: a sequence belongs to the thread of its receiver.
 */
#ifndef SHUNT_VM_SEQUENCE_H
#define SHUNT_VM_SEQUENCE_H

#include <stdint.h>

enum { SEQUENCE_WINDOW = 65536, SEQUENCE_WORDS = SEQUENCE_WINDOW / 64 };

struct sequence {
	uint64_t next;     /**< one above the highest number seen, wraps counted */
	uint64_t received; /**< frames that were no duplicates */
	uint64_t duplicated;
	uint64_t reordered;
	uint64_t seen[SEQUENCE_WORDS]; /**< bit number % window, for the window below next */
};

/** The receive queue's own part: the highest number that it delivered. */
struct sequence_order {
	uint64_t next;
};

/**
 * Count one frame.
 *
 * @param order of the queue that delivered it
 * @param number its 32-bit number; the first is expected to be 0
 */
void sequence_add(struct sequence *sequence, struct sequence_order *order, uint32_t number);

#endif
