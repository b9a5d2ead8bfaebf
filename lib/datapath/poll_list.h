/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active and idle rx queues of an lcore. A queue that stays empty for long becomes idle: instead of
 * a poll, one word is read periodically, which the sender changes when it makes frames available.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_POLL_LIST_H
#define SHUNT_DATAPATH_POLL_LIST_H

#include "datapath/datapath.h"
#include "datapath/snapshot.h"

enum {
	POLL_LIST_FEW = 8,           /**< up to so many queues of an lcore are always active */
	POLL_LIST_EMPTY = 4096,      /**< empty polls in a row that make a queue idle */
	POLL_LIST_MICROSECONDS = 19, /**< between checks of idle queues, plus at most a round */
};

/** The poll list of an lcore. */
struct poll_list {
	const struct snapshot *snapshot; /**< snapshot of the queues; never dereferenced */
	uint64_t wake_seq;   /**< wake sequence that the words of idle queues are valid for */
	uint64_t period;     /**< TSC cycles between checks of idle queues */
	uint64_t next_check; /**< TSC of the next check */
	uint32_t n_active, n_idle;
	uint16_t active[DATAPATH_SLOT_MAX]; /**< polled in every round: indices of lcore->poll */
	uint16_t empty[DATAPATH_SLOT_MAX];  /**< by the same index: empty polls in a row */
	struct {
		const uint16_t *word;
		uint16_t value; /**< of the word while there are no frames */
		uint16_t poll;  /**< index of lcore->poll */
	} idle[DATAPATH_SLOT_MAX];
};

/**
 * Check the idle queues when that is due: queues whose word has changed become active. With another
 * snapshot or wake sequence all queues become active, and no word of the old list is read.
 *
 * @param wake_seq the current wake sequence
 * @param now TSC
 */
void poll_list_update(struct poll_list *list, const struct snapshot *snapshot,
	const struct snapshot_lcore *lcore, uint64_t wake_seq, uint64_t now);

/**
 * Make an active queue idle. The last active queue moves to its index.
 *
 * @param index of `active`
 * @return false: the driver offers no word to monitor, and the queue stays active
 */
bool poll_list_make_idle(
	struct poll_list *list, const struct snapshot_lcore *lcore, uint32_t index);

/**
 * Account a poll without frames, which may make the queue idle.
 *
 * @param index of `active`
 * @return false: the queue became idle, and `index` of `active` may hold another queue
 */
static inline bool
poll_list_polled_empty(struct poll_list *list, const struct snapshot_lcore *lcore, uint32_t index)
{
	if (likely(lcore->polls <= POLL_LIST_FEW) ||
		++list->empty[list->active[index]] < POLL_LIST_EMPTY)
		return true;
	return !poll_list_make_idle(list, lcore, index);
}

/** Account a poll with frames. @param index of `active` */
static inline void
poll_list_polled_frames(struct poll_list *list, uint32_t index)
{
	list->empty[list->active[index]] = 0;
}

#endif
