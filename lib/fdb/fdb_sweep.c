/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control thread: remove entries by a walk. Reads without the lock, and takes it only for slices of
 * the table with entries to remove, so that learners are hardly delayed.
 */
#include "fdb/fdb_internal.h"

/* Live entries to remove, and their number. */
struct sweep {
	bool (*selects)(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg);
	const void *arg;
	enum fdb_action action; /* to record for these; FDB_ACTION_NONE: nothing */
	uint32_t removed;
};

/** Whether to remove an entry: it is stale or selected. */
static bool
fdb_sweep_selects(const struct fdb *fdb, const struct sweep *sweep, uint64_t key, uint64_t value)
{
	if (!(value & FDB_VALID))
		return false;
	return !fdb_is_live(fdb, key, value) || sweep->selects(fdb, key, value, sweep->arg);
}

/** @return the first slot of a range with an entry to remove, or the end of the range */
static uint32_t
fdb_sweep_find(const struct fdb *fdb, const struct sweep *sweep, uint32_t slot, uint32_t end)
{
	for (; slot < end; slot++) {
		uint64_t key;
		uint64_t value = fdb_slot_snapshot(fdb, slot, &key);

		if (fdb_sweep_selects(fdb, sweep, key, value))
			break;
	}
	return slot;
}

/** With the lock held: remove the entry of a slot if it is still one to remove. */
static void
fdb_sweep_slot(struct fdb *fdb, struct sweep *sweep, uint32_t slot)
{
	for (;;) {
		uint64_t key;
		uint64_t value = fdb_slot_snapshot(fdb, slot, &key);
		bool live = fdb_is_live(fdb, key, value);

		if (!fdb_sweep_selects(fdb, sweep, key, value))
			return;
		if (!fdb_slot_vacate(fdb, slot, value))
			continue;
		sweep->removed += live;
		if (live && sweep->action != FDB_ACTION_NONE)
			fdb_record(fdb, sweep->action, key, fdb_value_port(value), FDB_MISS);
		return;
	}
}

/** Remove the entries to remove from slots of one slice. */
static void
fdb_sweep_slice(struct fdb *fdb, struct sweep *sweep, uint32_t slot, uint32_t end)
{
	fdb_lock(fdb);
	for (; slot < end; slot++)
		fdb_sweep_slot(fdb, sweep, slot);
	fdb_unlock(fdb);
	/* Give waiting learners a chance to take the lock. */
	_mm_pause();
}

uint32_t
fdb_sweep(struct fdb *fdb,
	bool (*selects)(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg),
	const void *arg, enum fdb_action action)
{
	struct sweep sweep = {.selects = selects, .arg = arg, .action = action};
	uint32_t end = (fdb->mask + 1) * FDB_WAYS;

	for (uint32_t slot = 0; slot < end;) {
		uint32_t slice = (slot / FDB_WAYS | (FDB_SLICE - 1)) + 1;
		uint32_t until = slice * FDB_WAYS < end ? slice * FDB_WAYS : end;

		slot = fdb_sweep_find(fdb, &sweep, slot, until);
		if (slot < until)
			fdb_sweep_slice(fdb, &sweep, slot, until);
		slot = until;
	}
	fdb->unswept = false;
	return sweep.removed;
}

void
fdb_pin(struct fdb *fdb, bool pinned)
{
	fdb_lock(fdb);
	FDB_WRITE(fdb->pinned, pinned);
	fdb_unlock(fdb);
}
