/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to the FDB: functions that its files share.
 *
 *   fdb.c          create, destroy, settings, statistics
 *   fdb_lookup.c   polling lcores: find the ports of a burst
 *   fdb_learn.c    polling lcores: learn or refresh a burst
 *   fdb_move.c     polling lcores: limits the moves of an address from port to port
 *   fdb_slot.c     the writer: fill, vacate and displace slots
 *   fdb_share.c    the writer: divides a full table among the ports
 *   fdb_changes.c  the writer: record changes for the control thread
 *   fdb_sweep.c    control thread: remove entries by a walk
 *   fdb_age.c      control thread: epoch and ageing time
 *   fdb_control.c  control thread: static entries, deletion, flushes, listing
 *
 * Thread safety: as said at each part; "the writer" is the thread that holds the lock.
 */
#ifndef SHUNT_FDB_INTERNAL_H
#define SHUNT_FDB_INTERNAL_H

#include "fdb/fdb_changes.h"
#include "fdb/fdb_table.h"

/* Searching, fdb_lookup.c ------------------------------------------------------------------- */

/**
 * Find the values of a query after fdb_query_look(). A value with FDB_VALID clear: not found, index
 * in `missed`. Values may be stale.
 */
void fdb_search_burst(const struct fdb *fdb, struct fdb_query *query);

/** @return the slot of a key, live or stale, or FDB_NONE; only the writer can rely on it */
uint32_t fdb_find(const struct fdb *fdb, uint64_t key, uint64_t hash);

/* Writing slots, fdb_slot.c: with the lock held ---------------------------------------------- */

/** Find a vacant slot for a hash; displaces other entries if necessary. @return it or FDB_NONE */
uint32_t fdb_slot_take(struct fdb *fdb, uint64_t hash);

/** Put a new entry into a vacant slot, and count it. */
void fdb_slot_fill(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value);

/** Replace the value of an entry, and update the counts. */
void fdb_slot_change(struct fdb *fdb, uint32_t slot, uint64_t value);

/** Vacate a slot if it has this value, and update the counts. @return false: just refreshed */
bool fdb_slot_vacate(struct fdb *fdb, uint32_t slot, uint64_t value);

/** Vacate a slot, even if a learner refreshes it meanwhile. */
void fdb_slot_clear(struct fdb *fdb, uint32_t slot);

/* Sharing, fdb_share.c ---------------------------------------------------------------------- */

/** Whether a port has reached its limit. An estimate without the lock. */
bool fdb_at_limit(const struct fdb *fdb, uint16_t port);

/** Whether a port may have one more entry. An estimate without the lock. */
bool fdb_may_add(const struct fdb *fdb, uint16_t port);

/** With the lock: in a full table evict an entry of a port above its share. @return success */
bool fdb_make_space(struct fdb *fdb, uint16_t port);

/** The same for a static entry: evict one of a port that has at least the average. */
bool fdb_make_space_static(struct fdb *fdb);

/* Moving, fdb_move.c ------------------------------------------------------------------------- */

/** Result for an address that is new or was seen at another port than its entry's. */
enum fdb_verdict {
	FDB_LEARNT,
	FDB_REFUSED,
	FDB_STUCK,  /**< its port is sticky */
	FDB_DAMPED, /**< it has moved too often */
	FDB_VERDICTS,
};

/** With the lock: whether a live dynamic entry may move from a port; counts the move if so. */
enum fdb_verdict fdb_move(struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from);

/** The same without the lock: an estimate, and nothing is counted. */
enum fdb_verdict fdb_move_estimate(
	const struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from);

/* Counting, fdb.c ---------------------------------------------------------------------------- */

/** sum += part, which other threads may write meanwhile. */
void fdb_statistics_add(struct fdb_statistics *sum, const struct fdb_statistics *part);

/* Ageing, fdb_age.c -------------------------------------------------------------------------- */

/** @return the length of an epoch for an ageing time; both in seconds */
uint32_t fdb_tick(uint32_t ageing);

/** @return epochs since an entry was last seen */
static inline uint16_t
fdb_ticks(const struct fdb *fdb, uint64_t value)
{
	return (uint16_t)(FDB_READ(fdb->epoch) - (uint16_t)(value >> FDB_EPOCH_SHIFT));
}

/* Recording, fdb_changes.c: with the lock held ------------------------------------------------- */

/** Record a change; counted as lost if there is no space. */
void fdb_changes_push(struct fdb_changes *changes, const struct fdb_change *change);

/** Record a change of one entry, if changes are recorded. */
static inline void
fdb_record(struct fdb *fdb, enum fdb_action action, uint64_t key, uint16_t port, uint16_t old_port)
{
	if (!fdb->recorder)
		return;
	fdb_changes_push(fdb->recorder, &(struct fdb_change){.mac = key & MAC_MASK,
						.vlan = fdb_key_vlan(key),
						.port = port,
						.old_port = old_port,
						.action = (uint8_t)action});
}

/** Record a flush, if changes are recorded. @param vlan -1: all */
static inline void
fdb_record_flush(struct fdb *fdb, uint16_t port, int vlan, bool statics)
{
	if (!fdb->recorder)
		return;
	fdb_changes_push(fdb->recorder,
		&(struct fdb_change){.vlan = vlan < 0 ? FDB_VLAN_ALL : (uint16_t)vlan,
			.port = port,
			.action = FDB_ACTION_FLUSHED,
			.statics = statics});
}

/* Sweeping, fdb_sweep.c: control thread ------------------------------------------------------ */

/**
 * Remove all stale entries, and the live entries for which selects() returns true.
 *
 * @param action recorded for each live entry removed; FDB_ACTION_NONE: nothing is recorded
 * @return number of live entries removed
 */
uint32_t fdb_sweep(struct fdb *fdb,
	bool (*selects)(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg),
	const void *arg, enum fdb_action action);

/** Keep entries in their buckets while pinned, so that a walk sees each once. */
void fdb_pin(struct fdb *fdb, bool pinned);

/* The lock ---------------------------------------------------------------------------------- */

/** @return true if the calling thread has taken the lock */
static inline bool
fdb_trylock(struct fdb *fdb)
{
	/* Acquire: pairs with the release in fdb_unlock(). */
	return !FDB_READ(fdb->lock) &&
	       !atomic_exchange_explicit(&fdb->lock, 1, memory_order_acquire);
}

/** For the control thread. */
static inline void
fdb_lock(struct fdb *fdb)
{
	while (!fdb_trylock(fdb))
		_mm_pause();
}

/** For polling lcores: gives up after FDB_LOCK_TRIES, when the holder may have lost its CPU. */
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
	atomic_store_explicit(&fdb->lock, 0, memory_order_release);
}

#endif
