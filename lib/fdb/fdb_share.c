/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer: divides a full table among the ports.
 *
 * A guest that floods the table with addresses must not displace addresses of other ports. While
 * there is space every port may take it. Once the table is full, a port below its share (capacity
 * less static entries, divided by the number of ports with dynamic entries) replaces an entry of a
 * port above its share. As long as one port is below its share another is above, so that a port
 * always gets its share. Eviction goes round the table by the clock hand `hand`; the hash makes
 * the order random.
 */
#include "fdb/fdb_internal.h"

/** @return true if the table has as many entries as its capacity */
static bool
fdb_is_full(const struct fdb *fdb)
{
	return FDB_READ(fdb->dynamics) + FDB_READ(fdb->statics) >= fdb->capacity;
}

/** The share of a port, itself counted among the holders; at least one. */
static uint32_t
fdb_share(const struct fdb *fdb, uint16_t port)
{
	uint32_t holders = FDB_READ(fdb->holders) + !FDB_READ(fdb->port_count[port]);
	uint32_t each = fdb->capacity - FDB_READ(fdb->statics);

	/* Without the lock the two counts may be inconsistent, and holders 0. */
	if (holders)
		each /= holders;
	return each ? each : 1;
}

bool
fdb_at_limit(const struct fdb *fdb, uint16_t port)
{
	uint32_t limit = FDB_READ(fdb->port_limit[port]);

	return limit && FDB_READ(fdb->port_count[port]) >= limit;
}

bool
fdb_may_add(const struct fdb *fdb, uint16_t port)
{
	if (fdb_at_limit(fdb, port))
		return false;
	return !fdb_is_full(fdb) || FDB_READ(fdb->port_count[port]) < fdb_share(fdb, port);
}

/** Vacate a slot that is stale, or whose port has more than `more_than` dynamic entries. */
static void
fdb_evict_slot(struct fdb *fdb, uint32_t slot, uint32_t more_than)
{
	uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));
	uint64_t key = FDB_READ(*fdb_slot_key(fdb, slot));
	bool live;

	if (!(value & FDB_VALID) || (value & FDB_STATIC))
		return;
	live = fdb_is_live(fdb, key, value);
	if (live && FDB_READ(fdb->port_count[fdb_value_port(value)]) <= more_than)
		return;
	if (!fdb_slot_vacate(fdb, slot, value) || !live)
		return;
	FDB_ADD(fdb->replaced, 1);
	fdb_record(fdb, FDB_ACTION_EVICTED, key, fdb_value_port(value), FDB_MISS);
}

/** Evict from at most FDB_SLICE buckets; the next call goes on at `hand`. @return success */
static bool
fdb_evict(struct fdb *fdb, uint32_t more_than)
{
	for (unsigned i = 0; i < FDB_SLICE && fdb_is_full(fdb); i++) {
		uint32_t bucket = FDB_READ(fdb->hand);

		for (unsigned way = 0; way < FDB_WAYS && fdb_is_full(fdb); way++)
			fdb_evict_slot(fdb, bucket * FDB_WAYS + way, more_than);
		FDB_WRITE(fdb->hand, (bucket + 1) & fdb->mask);
	}
	return !fdb_is_full(fdb);
}

bool
fdb_make_space(struct fdb *fdb, uint16_t port)
{
	if (!fdb_is_full(fdb))
		return true;
	return FDB_READ(fdb->dynamics) && fdb_evict(fdb, fdb_share(fdb, port));
}

bool
fdb_make_space_static(struct fdb *fdb)
{
	if (!fdb_is_full(fdb))
		return true;
	if (!FDB_READ(fdb->dynamics))
		return false;
	/* Some port always has at least the average. */
	return fdb_evict(fdb, FDB_READ(fdb->dynamics) / FDB_READ(fdb->holders) - 1);
}
