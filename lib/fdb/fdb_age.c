/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control thread: epoch and ageing time.
 *
 * Entries say in which epoch they were last seen. An epoch lasts a tick: a second, or as many as it
 * takes to count the ageing time in FDB_AGE_MAX ticks, which is half of what 16 bits can tell
 * apart. Since a frame may come at the very end of its epoch an entry goes when the epochs since
 * are one more than the ageing time: not before its time, and at most a tick and the interval of
 * calls after.
 */
#include <errno.h>

#include "fdb/fdb_internal.h"

enum { LEAP = 16384 }; /* ticks at a time; an entry missed by no sweep stays below the wrap */

uint32_t
fdb_tick(uint32_t ageing)
{
	return (ageing + FDB_AGE_MAX - 1) / FDB_AGE_MAX;
}

/** The oldest that an entry gets, in ticks. */
static uint32_t
oldest(const struct fdb *fdb)
{
	return (fdb->ageing + fdb->tick - 1) / fdb->tick;
}

static bool
is_aged(const struct fdb *fdb, uint64_t key, uint64_t value, const void *limit)
{
	(void)key;
	return !(value & FDB_STATIC) && fdb_ticks(fdb, value) > *(const uint32_t *)limit;
}

/** Begin another epoch that many ticks after this one. */
static void
advance(struct fdb *fdb, uint16_t ticks)
{
	uint32_t limit = oldest(fdb);
	uint32_t removed;

	FDB_WRITE(fdb->epoch, (uint16_t)(FDB_READ(fdb->epoch) + ticks));
	removed = fdb_sweep(fdb, is_aged, &limit);
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
	/* Nothing survives four leaps. */
	if (ticks > 4 * LEAP)
		ticks = 4 * LEAP;
	while (ticks > LEAP) {
		advance(fdb, LEAP);
		ticks -= LEAP;
	}
	if (ticks || fdb->unswept)
		advance(fdb, (uint16_t)ticks);
}

/** Count the age of an entry in other ticks. Learners only know age 0, which is the same in all. */
static void
convert(struct fdb *fdb, uint32_t slot, uint32_t old_tick)
{
	uint64_t *at = fdb_slot_value(fdb, slot);
	uint64_t value = FDB_READ(*at);
	uint64_t ticks = (uint64_t)fdb_ticks(fdb, value) * old_tick / fdb->tick;

	if (!(value & FDB_VALID))
		return;
	if (ticks > oldest(fdb) + 1)
		ticks = oldest(fdb) + 1;
	__atomic_compare_exchange_n(at, &value,
		fdb_restamp(value, (uint16_t)(FDB_READ(fdb->epoch) - ticks)), false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED);
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
	/* What was seen in this epoch may have been seen just now: in short ticks, do not make it
	 * older than the latest call.
	 */
	fdb->clock = fdb->called;
	/* An entry that changed buckets meanwhile would be converted twice, or not at all. */
	fdb_pin(fdb, true);
	for (uint32_t slot = 0; slot < (fdb->mask + 1) * FDB_WAYS; slot++)
		convert(fdb, slot, old_tick);
	fdb_pin(fdb, false);
	return 0;
}

uint32_t
fdb_ageing(const struct fdb *fdb)
{
	return fdb->ageing;
}
