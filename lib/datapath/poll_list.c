/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes rx queues of an lcore active and idle. */
#include "datapath/poll_list.h"

#include <string.h>

#include <rte_cycles.h>

#include "base/shared.h"

enum { MICROSECONDS_PER_SECOND = 1000000 };

/** Make all queues of the lcore active. */
static void
poll_list_reset(struct poll_list *list, const struct snapshot_lcore *lcore, uint64_t now)
{
	list->period = rte_get_tsc_hz() / MICROSECONDS_PER_SECOND * POLL_LIST_MICROSECONDS;
	list->next_check = now;
	list->n_idle = 0;
	list->n_active = lcore->polls;
	for (uint32_t i = 0; i < lcore->polls; i++)
		list->active[i] = (uint16_t)i;
	memset(list->empty, 0, lcore->polls * sizeof(list->empty[0]));
}

/** Make the idle queues active whose word has changed. */
static void
poll_list_check_idle(struct poll_list *list)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->n_idle; i++) {
		uint16_t value = shared_load_relaxed(list->idle[i].word);

		if (likely(value == list->idle[i].value)) {
			if (unlikely(kept != i))
				list->idle[kept] = list->idle[i];
			kept++;
			continue;
		}
		list->empty[list->idle[i].poll] = 0;
		list->active[list->n_active++] = list->idle[i].poll;
	}
	list->n_idle = kept;
}

void
poll_list_update(struct poll_list *list, const struct snapshot *snapshot,
	const struct snapshot_lcore *lcore, uint64_t wake_seq, uint64_t now)
{
	if (unlikely(list->snapshot != snapshot || list->wake_seq != wake_seq)) {
		list->snapshot = snapshot;
		list->wake_seq = wake_seq;
		poll_list_reset(list, lcore, now);
	}
	if (list->n_idle == 0 || now < list->next_check)
		return;
	list->next_check = now + list->period;
	poll_list_check_idle(list);
}

bool
poll_list_make_idle(struct poll_list *list, const struct snapshot_lcore *lcore, uint32_t index)
{
	uint16_t number = list->active[index];
	const struct snapshot_poll *poll = &lcore->poll[number];
	struct port_monitor word;

	list->empty[number] = 0;
	if (poll->rx_monitor == NULL || !poll->rx_monitor(poll->dev, poll->queue, &word))
		return false;
	list->idle[list->n_idle].word = word.word;
	list->idle[list->n_idle].value = word.value;
	list->idle[list->n_idle++].poll = number;
	list->active[index] = list->active[--list->n_active];
	return true;
}
