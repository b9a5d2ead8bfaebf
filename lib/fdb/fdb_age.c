/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control thread: epoch and ageing time.
 *
 * An entry holds the epoch in which it was last seen. An epoch lasts one tick: a second, or as many
 * seconds as are needed to count the ageing time in at most FDB_AGE_MAX ticks, half of what 16 bits
 * can distinguish. A frame may arrive at the very end of its epoch, therefore an entry is removed
 * once its age in ticks exceeds the ageing time by one: never too early, and at most a tick and
 * the interval of calls too late.
 */
#include <errno.h>

#include "fdb/fdb_internal.h"

enum { AGE_STEP = 16384 }; /* ticks between sweeps at most: no entry's age reaches the wrap */

uint32_t
fdb_tick(uint32_t ageing)
{
	return (ageing + FDB_AGE_MAX - 1) / FDB_AGE_MAX;
}

/** @return the ageing time in ticks, rounded up */
static uint32_t
fdb_age_limit(const struct fdb *fdb)
{
	return (fdb->ageing + fdb->tick - 1) / fdb->tick;
}

/** fdb_sweep() selector: a dynamic entry above an age. */
static bool
fdb_is_aged(const struct fdb *fdb, uint64_t key, uint64_t value, const void *limit)
{
	(void)key;
	return !(value & FDB_STATIC) && fdb_ticks(fdb, value) > *(const uint32_t *)limit;
}

/** Advance the epoch by a number of ticks and remove entries that have aged out. */
static void
fdb_age_advance(struct fdb *fdb, uint16_t ticks)
{
	uint32_t limit = fdb_age_limit(fdb);
	uint32_t removed;

	FDB_WRITE(fdb->epoch, (uint16_t)(FDB_READ(fdb->epoch) + ticks));
	removed = fdb_sweep(fdb, fdb_is_aged, &limit, FDB_ACTION_AGED);
	fdb_lock(fdb);
	FDB_ADD(fdb->aged, removed);
	fdb_unlock(fdb);
}

void
fdb_age(struct fdb *fdb, uint64_t now)
{
	uint64_t ticks;

	if (!fdb->started || now < fdb->clock)
		fdb->clock = now;
	fdb->started = true;
	fdb->called = now;
	FDB_WRITE(fdb->now, (uint32_t)now);
	ticks = (now - fdb->clock) / fdb->tick;
	fdb->clock += ticks * fdb->tick;
	/* No entry survives four steps. */
	if (ticks > 4 * AGE_STEP)
		ticks = 4 * AGE_STEP;
	while (ticks > AGE_STEP) {
		fdb_age_advance(fdb, AGE_STEP);
		ticks -= AGE_STEP;
	}
	if (ticks || fdb->unswept)
		fdb_age_advance(fdb, (uint16_t)ticks);
}

/** Convert the age of an entry to new ticks. Learners write age 0 only, equal in any tick. */
static void
fdb_age_convert(struct fdb *fdb, uint32_t slot, uint32_t old_tick)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, slot);
	uint64_t value = FDB_READ(*at);
	uint64_t ticks = (uint64_t)fdb_ticks(fdb, value) * old_tick / fdb->tick;

	if (!(value & FDB_VALID))
		return;
	if (ticks > fdb_age_limit(fdb) + 1)
		ticks = fdb_age_limit(fdb) + 1;
	atomic_compare_exchange_strong_explicit(at, &value,
		fdb_restamp(value, (uint16_t)(FDB_READ(fdb->epoch) - ticks)), memory_order_relaxed,
		memory_order_relaxed);
}

int
fdb_set_ageing(struct fdb *fdb, uint32_t seconds)
{
	uint32_t old_tick = fdb->tick;

	if (seconds < FDB_AGEING_MIN || seconds > FDB_AGEING_MAX)
		return -EINVAL;
	fdb->ageing = seconds;
	fdb->tick = fdb_tick(seconds);
	fdb->unswept = true;
	if (fdb->tick == old_tick)
		return 0;
	/* An address seen in this epoch may have been seen just now: with shorter ticks, its age
	 * must not begin before the latest call.
	 */
	fdb->clock = fdb->called;
	/* Pinned: an entry that changes buckets could be converted twice or not at all. */
	fdb_pin(fdb, true);
	for (uint32_t slot = 0; slot < (fdb->mask + 1) * FDB_WAYS; slot++)
		fdb_age_convert(fdb, slot, old_tick);
	fdb_pin(fdb, false);
	return 0;
}

uint32_t
fdb_ageing(const struct fdb *fdb)
{
	return fdb->ageing;
}
