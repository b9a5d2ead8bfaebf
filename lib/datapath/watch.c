/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/watch.h"

#include <string.h>

#include <rte_cycles.h>

enum { MICROSECONDS_PER_SECOND = 1000000 };

static void
watch_begin(struct watch *watch, const struct snapshot_lane *lane, uint64_t now)
{
	watch->period = rte_get_tsc_hz() / MICROSECONDS_PER_SECOND * WATCH_MICROSECONDS;
	watch->look_at = now;
	watch->n_cold = 0;
	watch->n_hot = lane->polls;
	for (uint32_t i = 0; i < lane->polls; i++)
		watch->hot[i] = (uint16_t)i;
	memset(watch->empty, 0, lane->polls * sizeof(watch->empty[0]));
}

static void
watch_look(struct watch *watch)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < watch->n_cold; i++) {
		uint16_t value = __atomic_load_n(watch->cold[i].word, __ATOMIC_RELAXED);

		if (likely(value == watch->cold[i].value)) {
			if (unlikely(kept != i))
				watch->cold[kept] = watch->cold[i];
			kept++;
			continue;
		}
		watch->empty[watch->cold[i].poll] = 0;
		watch->hot[watch->n_hot++] = watch->cold[i].poll;
	}
	watch->n_cold = kept;
}

void
watch_update(struct watch *watch, const struct snapshot *snapshot, const struct snapshot_lane *lane,
	uint64_t era, uint64_t now)
{
	if (unlikely(watch->snapshot != snapshot || watch->era != era)) {
		watch->snapshot = snapshot;
		watch->era = era;
		watch_begin(watch, lane, now);
	}
	if (watch->n_cold == 0 || now < watch->look_at)
		return;
	watch->look_at = now + watch->period;
	watch_look(watch);
}

bool
watch_retire(struct watch *watch, const struct snapshot_lane *lane, uint32_t place)
{
	uint16_t number = watch->hot[place];
	const struct snapshot_poll *poll = &lane->poll[number];
	struct port_watch word;

	watch->empty[number] = 0;
	if (poll->rx_watch == NULL || !poll->rx_watch(poll->dev, poll->queue, &word))
		return false;
	watch->cold[watch->n_cold].word = word.word;
	watch->cold[watch->n_cold].value = word.value;
	watch->cold[watch->n_cold++].poll = number;
	watch->hot[place] = watch->hot[--watch->n_hot];
	return true;
}
