/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which queues of a lane are worth a poll. A queue that had nothing for long is no longer polled:
 * of it a single word is read, now and then, that its sender changes when there are frames.
 *
 * Thread safety: of one lane's thread.
 */
#ifndef SHUNT_DATAPATH_WATCH_H
#define SHUNT_DATAPATH_WATCH_H

#include "datapath/datapath.h"
#include "datapath/snapshot.h"

enum {
	WATCH_FEW = 8,      /**< as many queues are polled in every round */
	WATCH_EMPTY = 4096, /**< polls in a row without a frame before a queue is watched only */
	WATCH_MICROSECONDS = 19, /**< between two looks at the words; a round comes on top */
};

struct watch {
	const struct snapshot *snapshot; /**< whose polls these are; only compared */
	uint64_t era;                    /**< of the words */
	uint64_t period;                 /**< TSC cycles */
	uint64_t look_at;                /**< TSC */
	uint32_t n_hot, n_cold;
	uint16_t hot[DATAPATH_SLOT_MAX]; /**< polled in every round; numbers of the lane's polls */
	uint16_t empty[DATAPATH_SLOT_MAX]; /**< by number: polls in a row that found nothing */
	struct {
		const uint16_t *word;
		uint16_t value; /**< of the word while there are no frames */
		uint16_t poll;
	} cold[DATAPATH_SLOT_MAX];
};

/** Look at the words again, when that is due. Another snapshot or era: poll all queues. */
void watch_update(struct watch *watch, const struct snapshot *snapshot,
	const struct snapshot_lane *lane, uint64_t era, uint64_t now);

/** Have the queue at a place of `hot` watched, if that can be. @return false: it stays there */
bool watch_retire(struct watch *watch, const struct snapshot_lane *lane, uint32_t place);

/**
 * A poll found nothing. @return false when the queue is no longer at this place of `hot`, but
 * another one may be
 */
static inline bool
watch_found_nothing(struct watch *watch, const struct snapshot_lane *lane, uint32_t place)
{
	if (likely(lane->polls <= WATCH_FEW) || ++watch->empty[watch->hot[place]] < WATCH_EMPTY)
		return true;
	return !watch_retire(watch, lane, place);
}

static inline void
watch_found_frames(struct watch *watch, uint32_t place)
{
	watch->empty[watch->hot[place]] = 0;
}

#endif
