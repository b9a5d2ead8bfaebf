/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may take an address from another port, when two claim it.
 *
 * Addresses learnt at a sticky port stay there until they age out. Elsewhere an address that moves
 * more often than the limit within FDB_MOVES_WINDOW seconds, be it of a loop, of two guests with one
 * address, or of a thief, stays where it is for FDB_MOVES_HOLD seconds (in the spirit of RFC 7432
 * section 15.1): neither port floods others with changes, and the lock is not taken for them.
 *
 * What moved lately is in a small side table, in sets chosen by the hash, which guests cannot
 * foresee. A newcomer takes the place of the one that began to move first, but not of one that is
 * held; where all are held it moves uncounted.
 */
#include "fdb/fdb_internal.h"

static inline struct fdb_mover *
mover_set(const struct fdb *fdb, uint64_t hash)
{
	/* Bits that choose no bucket. */
	return (struct fdb_mover *)(uintptr_t)fdb->mover[hash >> 58 & (FDB_MOVER_SETS - 1)];
}

static inline bool
is_held(const struct fdb_mover *mover, uint32_t now)
{
	return FDB_READ(mover->until) > now;
}

enum fdb_verdict
fdb_foresee_move(const struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from)
{
	const struct fdb_mover *set = mover_set(fdb, hash);
	uint32_t now = FDB_READ(fdb->now);

	if (FDB_READ(fdb->port_sticky[from]))
		return FDB_STUCK;
	for (unsigned way = 0; way < FDB_WAYS; way++)
		if (FDB_READ(set[way].key) == key && is_held(&set[way], now))
			return FDB_DAMPED;
	return FDB_LEARNT;
}

/** The place of an address that moves. @return NULL: all are taken */
static struct fdb_mover *
find_mover(struct fdb *fdb, uint64_t key, uint64_t hash)
{
	struct fdb_mover *set = mover_set(fdb, hash), *oldest = NULL;
	uint32_t now = FDB_READ(fdb->now);

	for (unsigned way = 0; way < FDB_WAYS; way++) {
		if (FDB_READ(set[way].key) == key)
			return &set[way];
		if (!is_held(&set[way], now) && (!oldest || set[way].since < oldest->since))
			oldest = &set[way];
	}
	return oldest;
}

enum fdb_verdict
fdb_move(struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t from)
{
	enum fdb_verdict verdict = fdb_foresee_move(fdb, key, hash, from);
	struct fdb_mover *mover = find_mover(fdb, key, hash);
	uint32_t now = FDB_READ(fdb->now);

	if (verdict != FDB_LEARNT || !mover)
		return verdict;
	if (FDB_READ(mover->key) != key || now - mover->since >= FDB_MOVES_WINDOW) {
		FDB_WRITE(mover->key, key);
		mover->since = now;
		mover->moves = 0;
	}
	if (mover->moves >= FDB_READ(fdb->moves)) {
		FDB_WRITE(mover->until, now + FDB_MOVES_HOLD);
		return FDB_DAMPED;
	}
	mover->moves++;
	return FDB_LEARNT;
}
