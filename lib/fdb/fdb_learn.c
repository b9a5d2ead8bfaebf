/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling lcores: learn or refresh a burst. Entries that are up to date are not written, those of
 * an older epoch are refreshed by compare-exchange; the lock is taken for new and moved addresses.
 */
#include "fdb/fdb_internal.h"

/* Addresses of a query that need the lock. */
struct learn_list {
	uint8_t item[FDB_BURST_MAX];
	unsigned n;
};

/** Set the epoch of an entry to the current one, unless another lcore has changed the entry. */
static void
fdb_refresh(const struct fdb *fdb, uint64_t key, uint64_t hash, uint64_t value, uint16_t epoch)
{
	uint32_t slot = fdb_find(fdb, key, hash);

	if (slot == FDB_NONE)
		return;
	atomic_compare_exchange_strong_explicit(fdb_slot_value(fdb, slot), &value,
		fdb_restamp(value, epoch), memory_order_relaxed, memory_order_relaxed);
}

/** With the lock held: move an address that has a live entry to another port. */
static enum fdb_verdict
fdb_learn_move(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t hash, uint64_t wanted)
{
	uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));
	uint16_t port = fdb_value_port(wanted);
	enum fdb_verdict verdict;

	if ((value & FDB_STATIC) || fdb_value_port(value) == port)
		return FDB_LEARNT; /* another lcore has learnt it meanwhile */
	if (fdb_at_limit(fdb, port))
		return FDB_REFUSED;
	verdict = fdb_move(fdb, key, hash, fdb_value_port(value));
	if (verdict != FDB_LEARNT)
		return verdict;
	fdb_slot_change(fdb, slot, wanted);
	FDB_ADD(fdb->moved, 1);
	fdb_record(fdb, FDB_ACTION_MOVED, key, port, fdb_value_port(value));
	return FDB_LEARNT;
}

/** With the lock held: learn a new or moved address. */
static enum fdb_verdict
fdb_learn_one(struct fdb *fdb, uint64_t key, uint64_t hash, uint16_t port)
{
	uint64_t wanted = fdb_value(fdb, key, port, FDB_READ(fdb->epoch));
	uint32_t slot = fdb_find(fdb, key, hash);

	if (slot != FDB_NONE) {
		if (fdb_is_live(fdb, key, FDB_READ(*fdb_slot_value(fdb, slot))))
			return fdb_learn_move(fdb, slot, key, hash, wanted);
		fdb_slot_clear(fdb, slot);
	}
	if (!fdb_may_add(fdb, port) || !fdb_make_space(fdb, port))
		return FDB_REFUSED;
	slot = fdb_slot_take(fdb, hash);
	if (slot == FDB_NONE)
		return FDB_REFUSED;
	fdb_slot_fill(fdb, slot, key, wanted);
	FDB_ADD(fdb->learned, 1);
	fdb_record(fdb, FDB_ACTION_LEARNED, key, port, FDB_MISS);
	return FDB_LEARNT;
}

/** Estimate without the lock, so that a flood of addresses to refuse does not contend for it. */
static enum fdb_verdict
fdb_learn_estimate(const struct fdb *fdb, const struct fdb_query *query, uint8_t i, uint16_t port)
{
	uint64_t key = query->key[i], value = query->value[i];

	assert(port < FDB_PORT_MAX);
	if (!(value & FDB_VALID))
		return fdb_may_add(fdb, port) ? FDB_LEARNT : FDB_REFUSED;
	if (fdb_at_limit(fdb, port))
		return FDB_REFUSED;
	if (!fdb_is_live(fdb, key, value))
		return FDB_LEARNT;
	return fdb_move_estimate(fdb, key, query->hash[i], fdb_value_port(value));
}

/** Count the addresses that were not learnt. */
static void
fdb_count_not_learnt(struct fdb *fdb, uint16_t port, const unsigned counts[FDB_VERDICTS])
{
	struct fdb_statistics *statistics = &fdb->port_statistics[port];

	if (counts[FDB_REFUSED])
		atomic_fetch_add_explicit(shared_atomic(&statistics->refused), counts[FDB_REFUSED],
			memory_order_relaxed);
	if (counts[FDB_STUCK])
		atomic_fetch_add_explicit(
			shared_atomic(&statistics->stuck), counts[FDB_STUCK], memory_order_relaxed);
	if (counts[FDB_DAMPED])
		atomic_fetch_add_explicit(shared_atomic(&statistics->damped), counts[FDB_DAMPED],
			memory_order_relaxed);
}

/**
 * Take the lock for each address, so that no thread waits for a whole burst. If the holder of the
 * lock has lost its CPU, refuse the rest of the burst, which is learnt from later frames.
 *
 * @return number of addresses not learnt
 */
static unsigned
fdb_learn_locked(struct fdb *fdb, const struct fdb_query *query, uint16_t port,
	const struct learn_list *list)
{
	unsigned counts[FDB_VERDICTS] = {0};
	bool may_wait = true;

	for (unsigned l = 0; l < list->n; l++) {
		uint8_t i = list->item[l];
		enum fdb_verdict verdict = fdb_learn_estimate(fdb, query, i, port);

		if (verdict == FDB_LEARNT) {
			may_wait = may_wait && fdb_lock_briefly(fdb);
			verdict = FDB_REFUSED;
			if (may_wait) {
				verdict = fdb_learn_one(fdb, query->key[i], query->hash[i], port);
				fdb_unlock(fdb);
			}
		}
		counts[verdict]++;
	}
	fdb_count_not_learnt(fdb, port, counts);
	return list->n - counts[FDB_LEARNT];
}

unsigned
fdb_learn_burst(struct fdb *fdb, struct fdb_query *query, uint16_t port)
{
	struct learn_list list = {.n = 0};
	uint16_t epoch = FDB_READ(fdb->epoch);

	fdb_search_burst(fdb, query);
	for (unsigned i = 0; i < query->n; i++) {
		uint64_t key = query->key[i], value = query->value[i];
		uint64_t change = value ^ fdb_value(fdb, key, port, epoch);

		if (!(change & ~FDB_VERSION) || (value & FDB_STATIC))
			continue;
		if (!(change & ~(FDB_VERSION | FDB_EPOCH)))
			fdb_refresh(fdb, key, query->hash[i], value, epoch);
		else
			list.item[list.n++] = (uint8_t)i;
	}
	unsigned missed = list.n ? fdb_learn_locked(fdb, query, port, &list) : 0;
	query->changed = list.n > missed;
	return missed;
}
