/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer: fill, vacate and displace slots, and count entries by port.
 *
 * Readers take no lock. A slot gets another entry by three stores: value cleared, key replaced,
 * value set; the barriers pair with fdb_slot_read(). An entry that changes buckets is copied before
 * it is cleared, so that a reader of both buckets finds it.
 */
#include "fdb/fdb_internal.h"

enum { PATH_BUCKETS = 42 }; /* buckets searched for a path of displacements: 2 + 2 * 4 + 8 * 4 */

/* A bucket that a path of displacements may go through. */
struct path_node {
	uint32_t bucket;
	uint8_t parent; /* node whose entry may move here */
	uint8_t way;    /* that entry */
};

/* Counting ---------------------------------------------------------------------------------- */

/** Count an entry in the totals and those of its port. */
static void
fdb_count_entry(struct fdb *fdb, uint64_t value)
{
	uint16_t port = fdb_value_port(value);

	if (value & FDB_STATIC) {
		FDB_ADD(fdb->statics, 1);
		return;
	}
	if (FDB_READ(fdb->port_count[port]) == 0)
		FDB_ADD(fdb->holders, 1);
	FDB_ADD(fdb->port_count[port], 1);
	FDB_ADD(fdb->dynamics, 1);
}

/** Undo fdb_count_entry(). A flush of the port has done so for entries of older generations. */
static void
fdb_uncount_entry(struct fdb *fdb, uint64_t value)
{
	uint16_t port = fdb_value_port(value);

	if (value & FDB_STATIC) {
		FDB_ADD(fdb->statics, -1);
		return;
	}
	if ((uint16_t)(value >> FDB_PORT_GEN_SHIFT) != FDB_READ(fdb->port_gen[port]))
		return;
	FDB_ADD(fdb->dynamics, -1);
	FDB_ADD(fdb->port_count[port], -1);
	if (FDB_READ(fdb->port_count[port]) == 0)
		FDB_ADD(fdb->holders, -1);
}

/* One slot ---------------------------------------------------------------------------------- */

/** Call after the value is cleared; release pairs with the load of the key in fdb_slot_read(). */
static void
fdb_slot_clear_key(struct fdb *fdb, uint32_t slot)
{
	atomic_store_explicit(fdb_slot_key(fdb, slot), 0, memory_order_release);
}

/** The value of a vacant slot: nothing but the next version. */
static uint64_t
fdb_value_cleared(uint64_t value)
{
	return (value + FDB_VERSION_STEP) & FDB_VERSION;
}

/** Store key and value, with the version of the slot. @return the value as stored */
static uint64_t
fdb_slot_store(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, slot);

	value = (value & ~FDB_VERSION) | (FDB_READ(*at) & FDB_VERSION);
	/* Releases the cleared value to the load of the key in fdb_slot_read(). */
	atomic_store_explicit(fdb_slot_key(fdb, slot), key, memory_order_release);
	/* Releases the key to the first load of the value there. */
	atomic_store_explicit(at, value, memory_order_release);
	return value;
}

void
fdb_slot_fill(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value)
{
	fdb_slot_store(fdb, slot, key, value);
	fdb_count_entry(fdb, value);
}

void
fdb_slot_change(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, slot);
	uint64_t old = FDB_READ(*at);

	/* A refresh by a learner in between is overwritten, which does no harm. */
	atomic_store_explicit(
		at, (value & ~FDB_VERSION) | (old & FDB_VERSION), memory_order_release);
	fdb_uncount_entry(fdb, old);
	fdb_count_entry(fdb, value);
}

bool
fdb_slot_vacate(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	uint64_t expected = value;

	if (!atomic_compare_exchange_strong_explicit(fdb_slot_value(fdb, slot), &expected,
		    fdb_value_cleared(value), memory_order_relaxed, memory_order_relaxed))
		return false;
	fdb_slot_clear_key(fdb, slot);
	fdb_uncount_entry(fdb, value);
	return true;
}

void
fdb_slot_clear(struct fdb *fdb, uint32_t slot)
{
	while (!fdb_slot_vacate(fdb, slot, FDB_READ(*fdb_slot_value(fdb, slot))))
		;
}

/* Finding a slot ---------------------------------------------------------------------------- */

/** Vacate a slot if it is stale. @return whether it is vacant */
static bool
fdb_slot_vacate_stale(struct fdb *fdb, uint32_t slot)
{
	uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));

	if (!(value & FDB_VALID))
		return true;
	if (fdb_is_live(fdb, FDB_READ(*fdb_slot_key(fdb, slot)), value))
		return false;
	return fdb_slot_vacate(fdb, slot, value);
}

/** @return a vacant slot of a bucket; FDB_NONE: all are in use */
static uint32_t
fdb_bucket_vacancy(struct fdb *fdb, uint32_t bucket)
{
	for (unsigned way = 0; way < FDB_WAYS; way++) {
		uint32_t slot = bucket * FDB_WAYS + way;

		if (fdb_slot_vacate_stale(fdb, slot))
			return slot;
	}
	return FDB_NONE;
}

/** The other bucket of the entry in a slot. */
static uint32_t
fdb_other_bucket(const struct fdb *fdb, uint32_t slot)
{
	uint64_t hash = fdb_hash(fdb, FDB_READ(*fdb_slot_key(fdb, slot)));

	return slot / FDB_WAYS ^ fdb_primary(fdb, hash) ^ fdb_secondary(fdb, hash);
}

/** Move an entry to a vacant slot of its other bucket. */
static void
fdb_displace(struct fdb *fdb, uint32_t from, uint32_t to)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, from);
	uint64_t old = FDB_READ(*at);
	uint64_t copy = fdb_slot_store(fdb, to, FDB_READ(*fdb_slot_key(fdb, from)), old);
	uint64_t latest;

	/* Pairs with fdb_search_displaced(): a reader that sees the slot cleared sees the count. */
	atomic_store_explicit(&fdb->displaced, FDB_READ(fdb->displaced) + 1, memory_order_release);
	latest = atomic_exchange_explicit(at, fdb_value_cleared(old), memory_order_release);
	fdb_slot_clear_key(fdb, from);
	/* A learner may have refreshed the original after it was copied. */
	if (latest != old)
		atomic_compare_exchange_strong_explicit(fdb_slot_value(fdb, to), &copy,
			(copy & ~FDB_EPOCH) | (latest & FDB_EPOCH), memory_order_relaxed,
			memory_order_relaxed);
}

/** Displace the entries of a path, from its vacant end. @return the slot vacated at its start */
static uint32_t
fdb_displace_path(
	struct fdb *fdb, const struct path_node nodes[], unsigned node, uint32_t from, uint32_t to)
{
	for (;;) {
		fdb_displace(fdb, from, to);
		to = from;
		if (node < 2)
			return to;
		from = nodes[nodes[node].parent].bucket * FDB_WAYS + nodes[node].way;
		node = nodes[node].parent;
	}
}

/** @return true if the search has reached a bucket already */
static bool
fdb_path_has(const struct path_node nodes[], unsigned n, uint32_t bucket)
{
	for (unsigned i = 0; i < n; i++)
		if (nodes[i].bucket == bucket)
			return true;
	return false;
}

/** Search breadth first, from two full buckets, for the shortest path of displacements. */
static uint32_t
fdb_make_vacancy(struct fdb *fdb, uint32_t primary, uint32_t secondary)
{
	struct path_node nodes[PATH_BUCKETS] = {{.bucket = primary}, {.bucket = secondary}};
	unsigned n = 2;

	for (unsigned node = 0; node < n; node++) {
		for (uint8_t way = 0; way < FDB_WAYS; way++) {
			uint32_t from = nodes[node].bucket * FDB_WAYS + way;
			uint32_t bucket = fdb_other_bucket(fdb, from);
			uint32_t to = fdb_bucket_vacancy(fdb, bucket);

			if (to != FDB_NONE)
				return fdb_displace_path(fdb, nodes, node, from, to);
			if (n == PATH_BUCKETS || fdb_path_has(nodes, n, bucket))
				continue;
			nodes[n++] = (struct path_node){bucket, (uint8_t)node, way};
		}
	}
	return FDB_NONE;
}

uint32_t
fdb_slot_take(struct fdb *fdb, uint64_t hash)
{
	uint32_t primary = fdb_primary(fdb, hash);
	uint32_t secondary = fdb_secondary(fdb, hash);
	uint32_t slot = fdb_bucket_vacancy(fdb, primary);

	if (slot == FDB_NONE)
		slot = fdb_bucket_vacancy(fdb, secondary);
	if (slot == FDB_NONE && !FDB_READ(fdb->pinned))
		slot = fdb_make_vacancy(fdb, primary, secondary);
	return slot;
}
