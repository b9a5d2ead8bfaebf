/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the filtering table: what its files offer each other.
 *
 *   fdb.c          create, destroy, settings, statistics
 *   fdb_lookup.c   polling lcores: find the ports of a burst
 *   fdb_learn.c    polling lcores: learn or refresh a burst
 *   fdb_move.c     who may take an address from another port
 *   fdb_slot.c     the writer: fill, vacate and displace slots
 *   fdb_share.c    the writer: who may have an entry when entries are short
 *   fdb_sweep.c    control thread: remove entries by walking
 *   fdb_age.c      control thread: epoch and ageing time
 *   fdb_control.c  control thread: static entries, deletion, flushes, listing
 *
 * Thread safety: as said at each part; "the writer" is whoever holds the lock.
 */
#ifndef SHUNT_FDB_INTERNAL_H
#define SHUNT_FDB_INTERNAL_H

#include "fdb/fdb_table.h"

/* Searching, fdb_lookup.c ------------------------------------------------------------------- */

/**
 * Find the values of a query that has looked, FDB_VALID clear: not found. They may be stale. What was
 * not found is in `missed`.
 */
void fdb_search_burst(const struct fdb *fdb, struct fdb_query *query);

/** @return the slot that holds a key, live or stale, or FDB_NONE; reliable for the writer */
uint32_t fdb_find(const struct fdb *fdb, uint64_t key, uint64_t hash);

/* Writing slots, fdb_slot.c: with the lock held ---------------------------------------------- */

/** A vacant slot in reach of a hash, made by displacing others if need be; or FDB_NONE. */
uint32_t fdb_slot_take(struct fdb *fdb, uint64_t hash);

/** Put a new entry into a vacant slot, and count it. */
void fdb_slot_fill(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value);

/** Replace the value of an entry, and count accordingly. */
void fdb_slot_change(struct fdb *fdb, uint32_t slot, uint64_t value);

/** Empty a slot that holds that value and discount it. @return false: it was just refreshed */
bool fdb_slot_vacate(struct fdb *fdb, uint32_t slot, uint64_t value);

/** Empty a slot, refreshed or not. */
void fdb_slot_drop(struct fdb *fdb, uint32_t slot);

/* Sharing, fdb_share.c ---------------------------------------------------------------------- */

/** Whether a port has reached its limit. Without the lock, a guess. */
bool fdb_at_limit(const struct fdb *fdb, uint16_t port);

/** Whether a port may have one more entry. Without the lock, a guess. */
bool fdb_may_hold(const struct fdb *fdb, uint16_t port);

/** With the lock: a full table loses the entry of a port that is over its share. */
bool fdb_make_space(struct fdb *fdb, uint16_t port);

/** With the lock, for a static entry: a full table loses the entry of a large holder. */
bool fdb_make_space_static(struct fdb *fdb);

/* Moving, fdb_move.c ------------------------------------------------------------------------- */

/** What became of an address that is not in the table as it was seen. */
enum fdb_verdict {
	FDB_LEARNT,
	FDB_REFUSED,
	FDB_STUCK,  /**< its port keeps it */
	FDB_DAMPED, /**< it has moved too often */
	FDB_VERDICTS,
};

/** With the lock: may a live dynamic entry move from a port? If so, that counts as a move. */
enum fdb_verdict fdb_move(struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from);

/** The same without the lock, a guess; nothing is counted. */
enum fdb_verdict fdb_foresee_move(
	const struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from);

/* Counting, fdb.c ---------------------------------------------------------------------------- */

/** sum += part, which may be written meanwhile. */
void fdb_statistics_add(struct fdb_statistics *sum, const struct fdb_statistics *part);

/* Ageing, fdb_age.c -------------------------------------------------------------------------- */

/** The length of an epoch for an ageing time. */
uint32_t fdb_tick(uint32_t ageing);

/** Ticks since an entry was seen. */
static inline uint16_t
fdb_ticks(const struct fdb *fdb, uint64_t value)
{
	return (uint16_t)(FDB_READ(fdb->epoch) - (uint16_t)(value >> FDB_EPOCH_SHIFT));
}

/* Sweeping, fdb_sweep.c: control thread ------------------------------------------------------ */

/**
 * Remove all stale entries, and the live ones that are doomed.
 *
 * @return how many were live
 */
uint32_t fdb_sweep(struct fdb *fdb,
	bool (*doomed)(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg),
	const void *arg);

/** Keep entries in their buckets, so that a walk sees each once; until unpinned. */
void fdb_pin(struct fdb *fdb, bool pinned);

/* The lock ---------------------------------------------------------------------------------- */

static inline bool
fdb_trylock(struct fdb *fdb)
{
	/* Acquires what fdb_unlock() released. */
	return !FDB_READ(fdb->lock) && !__atomic_exchange_n(&fdb->lock, 1, __ATOMIC_ACQUIRE);
}

/** For control. */
static inline void
fdb_lock(struct fdb *fdb)
{
	while (!fdb_trylock(fdb))
		_mm_pause();
}

/** For learners: gives up when the holder seems to have lost its CPU. */
static inline bool
fdb_lock_briefly(struct fdb *fdb)
{
	for (unsigned tries = 0; tries < FDB_LOCK_TRIES; tries++) {
		if (fdb_trylock(fdb))
			return true;
		_mm_pause();
	}
	return false;
}

static inline void
fdb_unlock(struct fdb *fdb)
{
	__atomic_store_n(&fdb->lock, 0, __ATOMIC_RELEASE);
}

#endif
