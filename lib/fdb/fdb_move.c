/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling lcores: limits the moves of an address from port to port.
 *
 * Addresses learnt at a sticky port stay there until they age out. At other ports, an address that
 * moves more often than the limit within FDB_MOVES_WINDOW seconds (a loop, two guests with the same
 * address, spoofed frames) stays where it is for FDB_MOVES_DAMP seconds, similar to RFC 7432
 * section 15.1, and the lock is not taken for it in that time.
 *
 * Addresses that moved recently are kept in a small table, in sets selected by the hash, which
 * guests cannot predict. A new address replaces the one whose counting began first and that is not
 * damped; if all in the set are damped, it moves without being counted.
 */
#include "fdb/fdb_internal.h"

/** @return the set of records in which an address is kept */
static inline struct fdb_mover *
fdb_mover_set(const struct fdb *fdb, uint64_t hash)
{
	/* Bits of the hash that do not select buckets. */
	return (struct fdb_mover *)(uintptr_t)fdb->mover[hash >> 58 & (FDB_MOVER_SETS - 1)];
}

/** @return true if the address of a record may not move at present */
static inline bool
fdb_mover_is_damped(const struct fdb_mover *mover, uint32_t now)
{
	return FDB_READ(mover->until) > now;
}

enum fdb_verdict
fdb_move_estimate(const struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from)
{
	const struct fdb_mover *set = fdb_mover_set(fdb, hash);
	uint32_t now = FDB_READ(fdb->now);

	if (FDB_READ(fdb->port_sticky[from]))
		return FDB_STUCK;
	for (unsigned way = 0; way < FDB_WAYS; way++)
		if (FDB_READ(set[way].key) == key && fdb_mover_is_damped(&set[way], now))
			return FDB_DAMPED;
	return FDB_LEARNT;
}

/** @return the record for an address that moves; NULL if none in its set is available */
static struct fdb_mover *
fdb_mover_find(struct fdb *fdb, uint64_t key, uint64_t hash)
{
	struct fdb_mover *set = fdb_mover_set(fdb, hash), *oldest = NULL;
	uint32_t now = FDB_READ(fdb->now);

	for (unsigned way = 0; way < FDB_WAYS; way++) {
		if (FDB_READ(set[way].key) == key)
			return &set[way];
		if (!fdb_mover_is_damped(&set[way], now) &&
			(!oldest || set[way].since < oldest->since))
			oldest = &set[way];
	}
	return oldest;
}

enum fdb_verdict
fdb_move(struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from)
{
	enum fdb_verdict verdict = fdb_move_estimate(fdb, key, hash, from);
	struct fdb_mover *mover = fdb_mover_find(fdb, key, hash);
	uint32_t now = FDB_READ(fdb->now);

	if (verdict != FDB_LEARNT || !mover)
		return verdict;
	if (FDB_READ(mover->key) != key || now - mover->since >= FDB_MOVES_WINDOW) {
		FDB_WRITE(mover->key, key);
		mover->since = now;
		mover->moves = 0;
	}
	if (mover->moves >= FDB_READ(fdb->moves)) {
		FDB_WRITE(mover->until, now + FDB_MOVES_DAMP);
		return FDB_DAMPED;
	}
	mover->moves++;
	return FDB_LEARNT;
}
