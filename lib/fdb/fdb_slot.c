/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer: fill, vacate and displace slots, and count entries by port.
 *
 * Readers take no lock. A slot gets another entry by three stores: value cleared, key replaced,
 * value set; the barriers pair with fdb_slot_read(). An entry that changes buckets is copied before
 * it is cleared, so that a reader of both buckets finds it.
 */
#include "fdb/fdb_internal.h"

enum { REACH = 42 }; /* buckets searched for a chain of displacements: 2 + 2 * 4 + 8 * 4 */

/* A bucket that a chain of displacements may go through. */
struct chain_node {
	uint32_t bucket;
	uint8_t parent; /* node whose entry may move here */
	uint8_t way;    /* that entry */
};

/* Counting ---------------------------------------------------------------------------------- */

static void
count(struct fdb *fdb, uint64_t value)
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

/** Entries of an older generation of their port were discounted by its flush. */
static void
discount(struct fdb *fdb, uint64_t value)
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
clear_key(struct fdb *fdb, uint32_t slot)
{
	atomic_store_explicit(fdb_slot_key(fdb, slot), 0, memory_order_release);
}

static uint64_t
cleared(uint64_t value)
{
	return (value + FDB_VERSION_STEP) & FDB_VERSION;
}

/** @return the value as stored */
static uint64_t
store(struct fdb *fdb, uint32_t slot, uint64_t key, uint64_t value)
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
	store(fdb, slot, key, value);
	count(fdb, value);
}

void
fdb_slot_change(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, slot);
	uint64_t old = FDB_READ(*at);

	/* A refresh by a learner in between is overwritten, which does no harm. */
	atomic_store_explicit(
		at, (value & ~FDB_VERSION) | (old & FDB_VERSION), memory_order_release);
	discount(fdb, old);
	count(fdb, value);
}

bool
fdb_slot_vacate(struct fdb *fdb, uint32_t slot, uint64_t value)
{
	uint64_t expected = value;

	if (!atomic_compare_exchange_strong_explicit(fdb_slot_value(fdb, slot), &expected,
		    cleared(value), memory_order_relaxed, memory_order_relaxed))
		return false;
	clear_key(fdb, slot);
	discount(fdb, value);
	return true;
}

void
fdb_slot_drop(struct fdb *fdb, uint32_t slot)
{
	while (!fdb_slot_vacate(fdb, slot, FDB_READ(*fdb_slot_value(fdb, slot))))
		;
}

/* Finding a slot ---------------------------------------------------------------------------- */

/** Vacate a slot if it is stale. @return whether it is vacant */
static bool
reclaim(struct fdb *fdb, uint32_t slot)
{
	uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));

	if (!(value & FDB_VALID))
		return true;
	if (fdb_is_live(fdb, FDB_READ(*fdb_slot_key(fdb, slot)), value))
		return false;
	return fdb_slot_vacate(fdb, slot, value);
}

static uint32_t
vacancy(struct fdb *fdb, uint32_t bucket)
{
	for (unsigned way = 0; way < FDB_WAYS; way++) {
		uint32_t slot = bucket * FDB_WAYS + way;

		if (reclaim(fdb, slot))
			return slot;
	}
	return FDB_NONE;
}

/** The other bucket of the entry in a slot. */
static uint32_t
other_bucket(const struct fdb *fdb, uint32_t slot)
{
	uint64_t hash = fdb_hash(fdb, FDB_READ(*fdb_slot_key(fdb, slot)));

	return slot / FDB_WAYS ^ fdb_primary(fdb, hash) ^ fdb_secondary(fdb, hash);
}

/** Move an entry to a vacant slot of its other bucket. */
static void
displace(struct fdb *fdb, uint32_t from, uint32_t to)
{
	_Atomic uint64_t *at = fdb_slot_value(fdb, from);
	uint64_t old = FDB_READ(*at);
	uint64_t copy = store(fdb, to, FDB_READ(*fdb_slot_key(fdb, from)), old);
	uint64_t latest;

	/* Pairs with search_displaced(): a reader that sees the slot cleared sees the count. */
	atomic_store_explicit(&fdb->displaced, FDB_READ(fdb->displaced) + 1, memory_order_release);
	latest = atomic_exchange_explicit(at, cleared(old), memory_order_release);
	clear_key(fdb, from);
	/* A learner may have refreshed the original after it was copied. */
	if (latest != old)
		atomic_compare_exchange_strong_explicit(fdb_slot_value(fdb, to), &copy,
			(copy & ~FDB_EPOCH) | (latest & FDB_EPOCH), memory_order_relaxed,
			memory_order_relaxed);
}

/** Displace the entries of a chain, from its vacant end. @return the slot vacated at its start */
static uint32_t
follow(struct fdb *fdb, const struct chain_node nodes[], unsigned node, uint32_t from, uint32_t to)
{
	for (;;) {
		displace(fdb, from, to);
		to = from;
		if (node < 2)
			return to;
		from = nodes[nodes[node].parent].bucket * FDB_WAYS + nodes[node].way;
		node = nodes[node].parent;
	}
}

static bool
visited(const struct chain_node nodes[], unsigned n, uint32_t bucket)
{
	for (unsigned i = 0; i < n; i++)
		if (nodes[i].bucket == bucket)
			return true;
	return false;
}

/** Search breadth first, from two full buckets, for the shortest chain of displacements. */
static uint32_t
make_vacancy(struct fdb *fdb, uint32_t primary, uint32_t secondary)
{
	struct chain_node nodes[REACH] = {{.bucket = primary}, {.bucket = secondary}};
	unsigned n = 2;

	for (unsigned node = 0; node < n; node++) {
		for (uint8_t way = 0; way < FDB_WAYS; way++) {
			uint32_t from = nodes[node].bucket * FDB_WAYS + way;
			uint32_t bucket = other_bucket(fdb, from);
			uint32_t to = vacancy(fdb, bucket);

			if (to != FDB_NONE)
				return follow(fdb, nodes, node, from, to);
			if (n == REACH || visited(nodes, n, bucket))
				continue;
			nodes[n++] = (struct chain_node){bucket, (uint8_t)node, way};
		}
	}
	return FDB_NONE;
}

uint32_t
fdb_slot_take(struct fdb *fdb, uint64_t hash)
{
	uint32_t primary = fdb_primary(fdb, hash);
	uint32_t secondary = fdb_secondary(fdb, hash);
	uint32_t slot = vacancy(fdb, primary);

	if (slot == FDB_NONE)
		slot = vacancy(fdb, secondary);
	if (slot == FDB_NONE && !FDB_READ(fdb->pinned))
		slot = make_vacancy(fdb, primary, secondary);
	return slot;
}
