/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to the FDB: buckets, values, struct fdb, and reading of slots.
 *
 * Thread safety: "the writer" is the thread that holds fdb->lock. Other threads read slots by
 * fdb_slot_read() or fdb_slot_snapshot(), and change nothing but the epoch of a value, by
 * compare-exchange. All shared fields are accessed atomically. "Learners" are polling lcores in
 * fdb_learn_burst().
 */
#ifndef SHUNT_FDB_TABLE_H
#define SHUNT_FDB_TABLE_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include <immintrin.h>

#include "base/shared.h"
#include "fdb/fdb.h"
#include "fdb/fdb_moves.h"

#define FDB_LINE 64

/* Relaxed accesses to shared fields. FDB_ADD is not atomic as a whole: for the writer only. */
#define FDB_READ(field)       shared_load_relaxed(&(field))
#define FDB_WRITE(field, new) shared_store_relaxed(&(field), (new))
#define FDB_ADD(field, n)     FDB_WRITE(field, FDB_READ(field) + (n))

enum {
	FDB_WAYS = 4,
	FDB_SLICE = 64,       /**< buckets that are handled with the lock held once */
	FDB_LOCK_TRIES = 256, /**< pauses (some 10 us) after which a learner gives up on the lock */
	FDB_AGE_MAX = 32767,  /**< ticks of an ageing time; far from the wrap of the epoch */
};

#define FDB_NONE UINT32_MAX /**< no such slot */

/**
 * One cache line. Keys: written by the writer, read by all. Values: likewise, but learners raise
 * their epoch. The key of a vacant slot is 0, so that no bucket ever has a key twice.
 */
struct fdb_bucket {
	_Atomic uint64_t key[FDB_WAYS];
	_Atomic uint64_t value[FDB_WAYS];
} __attribute__((aligned(FDB_LINE)));

static_assert(sizeof(struct fdb_bucket) == FDB_LINE, "a bucket is a cache line");

/*
 * A value, from bit 63 down: port (16), epoch (16), port generation (16), VLAN generation (8),
 * version of the slot (6), static (1), valid (1). The version counts how often the slot was
 * vacated, and stays when the rest is cleared: by it a reader that was delayed between two loads
 * detects that the slot has been vacated and filled again meanwhile.
 */
#define FDB_VALID          UINT64_C(0x01)
#define FDB_STATIC         UINT64_C(0x02)
#define FDB_VERSION        UINT64_C(0xfc)
#define FDB_VERSION_STEP   UINT64_C(0x04)
#define FDB_GENERATIONS    UINT64_C(0xffffff00)
#define FDB_EPOCH          UINT64_C(0xffff00000000)
#define FDB_VLAN_GEN_SHIFT 8
#define FDB_PORT_GEN_SHIFT 16
#define FDB_EPOCH_SHIFT    32
#define FDB_PORT_SHIFT     48
#define FDB_KEY_VLAN_SHIFT 48

struct fdb {
	/* Set at creation, read by all. */
	struct fdb_bucket *buckets;
	uint32_t mask; /**< number of buckets - 1 */
	uint32_t capacity;
	uint64_t secret[3]; /**< of the hash */

	/* Seldom written, read by polling lcores once a burst. */
	alignas(FDB_LINE) _Atomic uint32_t
		displaced; /**< entries that changed buckets; by the writer */
	uint16_t epoch;    /**< by the control thread */
	uint32_t now;      /**< seconds, by control; read where addresses move */
	uint32_t moves;    /**< limit for an address; by the control thread, read likewise */

	/* Written by the writer. The counts are read by learners that need a new entry. */
	alignas(FDB_LINE) _Atomic uint32_t lock; /**< taken by learners and the control thread */
	uint32_t dynamics;                       /**< sum of port_count */
	uint32_t statics;
	uint32_t holders; /**< ports whose port_count is not 0 */
	uint32_t hand;    /**< clock hand: the bucket where eviction continues */
	bool pinned;      /**< the control thread walks: entries stay in their buckets */
	uint64_t learned; /**< this and the next three are read by the control thread */
	uint64_t moved;
	uint64_t aged;
	uint64_t replaced;
	struct fdb_changes *recorder; /**< where changes are recorded; NULL = nowhere */
	struct fdb_mover mover[FDB_MOVER_SETS][FDB_WAYS];

	/* Belongs to the control thread. */
	alignas(FDB_LINE) uint32_t ageing; /**< seconds */
	uint32_t tick;                     /**< seconds in an epoch */
	uint64_t clock;                    /**< begin of the epoch, in seconds */
	uint64_t called;                   /**< `now` of the latest fdb_age() */
	bool started;                      /**< clock is valid */
	bool unswept; /**< flushed entries may be left; those of VLANs are still counted */
	struct fdb_statistics forgotten; /**< of ports that were forgotten */
	struct fdb_changes *changes;     /**< made when changes are first recorded */

	/* By control with the lock, read by all. An entry of an older generation is stale. */
	alignas(FDB_LINE) uint16_t port_gen[FDB_PORT_MAX];
	alignas(FDB_LINE) uint8_t vlan_gen[FDB_VLAN_MAX];

	/**
	 * Dynamic entries of a port's current generation, including those of flushed VLANs until
	 * they are swept. By the writer, read by learners that need a new entry.
	 */
	alignas(FDB_LINE) uint32_t port_count[FDB_PORT_MAX];
	/** 0 = no limit. By the control thread, read by learners that need a new entry. */
	alignas(FDB_LINE) uint32_t port_limit[FDB_PORT_MAX];
	/** By the control thread, read by learners of another port that sees its addresses. */
	alignas(FDB_LINE) bool port_sticky[FDB_PORT_MAX];
	/** By learners that could not learn an address, read by the control thread. */
	alignas(FDB_LINE) struct fdb_statistics port_statistics[FDB_PORT_MAX];
};

static_assert(offsetof(struct fdb, secret) + sizeof(uint64_t[3]) <= FDB_LINE, "read-only: a line");
static_assert(offsetof(struct fdb, displaced) == FDB_LINE, "seldom written: its own line");
static_assert(offsetof(struct fdb, lock) == 2 * FDB_LINE, "the writer's: their own lines");
static_assert(offsetof(struct fdb, ageing) % FDB_LINE == 0, "control's: its own line");
static_assert(offsetof(struct fdb, port_gen) % FDB_LINE == 0, "generations: read-mostly lines");
static_assert(offsetof(struct fdb, port_count) % FDB_LINE == 0, "counts: the writer's lines");

/* Hashing ----------------------------------------------------------------------------------- */

/** The halves of the 128-bit product, xored. */
static inline uint64_t
fdb_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * Keyed hash: guests choose addresses but cannot choose buckets, since the secrets are random. The
 * low half selects the first bucket, the high half the second. Folded only once, consecutive
 * addresses would collide in one of some hundred tables.
 */
static inline uint64_t
fdb_hash(const struct fdb *fdb, uint64_t key)
{
	return fdb_fold(fdb_fold(key ^ fdb->secret[0], fdb->secret[1]), fdb->secret[2]);
}

/** @return number of the first bucket of a hash */
static inline uint32_t
fdb_primary(const struct fdb *fdb, uint64_t hash)
{
	return (uint32_t)hash & fdb->mask;
}

/** @return number of the second bucket of a hash, never that of the first */
static inline uint32_t
fdb_secondary(const struct fdb *fdb, uint64_t hash)
{
	uint32_t bucket = (uint32_t)(hash >> 32) & fdb->mask;

	return bucket ^ (bucket == fdb_primary(fdb, hash));
}

/* Values ------------------------------------------------------------------------------------ */

static inline uint16_t
fdb_value_port(uint64_t value)
{
	return (uint16_t)(value >> FDB_PORT_SHIFT);
}

static inline uint16_t
fdb_key_vlan(uint64_t key)
{
	return key >> FDB_KEY_VLAN_SHIFT & (FDB_VLAN_MAX - 1);
}

/** FDB_VALID and the current generations, as the value of a live dynamic entry has them. */
static inline uint64_t
fdb_current(const struct fdb *fdb, uint16_t port, uint16_t vlan)
{
	return (uint64_t)FDB_READ(fdb->port_gen[port]) << FDB_PORT_GEN_SHIFT |
	       (uint64_t)FDB_READ(fdb->vlan_gen[vlan]) << FDB_VLAN_GEN_SHIFT | FDB_VALID;
}

/** The value of a dynamic entry seen in an epoch, without the slot's version. */
static inline uint64_t
fdb_value(const struct fdb *fdb, uint64_t key, uint16_t port, uint16_t epoch)
{
	return (uint64_t)port << FDB_PORT_SHIFT | (uint64_t)epoch << FDB_EPOCH_SHIFT |
	       fdb_current(fdb, port, fdb_key_vlan(key));
}

/** @return true if an entry is static, or of the current generations of its port and VLAN */
static inline bool
fdb_is_live(const struct fdb *fdb, uint64_t key, uint64_t value)
{
	uint64_t current = fdb_current(fdb, fdb_value_port(value), fdb_key_vlan(key));

	return !((value ^ current) & (FDB_GENERATIONS | FDB_VALID)) || (value & FDB_STATIC);
}

/** The value with another epoch. */
static inline uint64_t
fdb_restamp(uint64_t value, uint16_t epoch)
{
	return (value & ~FDB_EPOCH) | (uint64_t)epoch << FDB_EPOCH_SHIFT;
}

/* Reading slots ----------------------------------------------------------------------------- */

/* The number of a slot is bucket times FDB_WAYS, plus way. */

static inline _Atomic uint64_t *
fdb_slot_key(const struct fdb *fdb, uint32_t slot)
{
	return &fdb->buckets[slot / FDB_WAYS].key[slot % FDB_WAYS];
}

static inline _Atomic uint64_t *
fdb_slot_value(const struct fdb *fdb, uint32_t slot)
{
	return &fdb->buckets[slot / FDB_WAYS].value[slot % FDB_WAYS];
}

/**
 * The value of a slot if the slot holds this key, else 0 or a value with FDB_VALID clear.
 *
 * The first load of the value pairs with the last store of fdb_slot_fill(): a reader that sees the
 * value sees its key. The load of the key pairs with the stores of the key in fdb_slot_fill() and
 * fdb_slot_vacate(), which follow the clearing of the value: if the slot was vacated before the key
 * was read, the second load of the value has another version.
 */
static inline uint64_t
fdb_slot_read(const struct fdb_bucket *bucket, size_t way, uint64_t key)
{
	for (;;) {
		uint64_t value = atomic_load_explicit(&bucket->value[way], memory_order_acquire);

		if (atomic_load_explicit(&bucket->key[way], memory_order_acquire) != key)
			return 0;
		if (FDB_READ(bucket->value[way]) == value)
			return value;
	}
}

/** The key and value of a slot, which belong together by the rules of fdb_slot_read(). */
static inline uint64_t
fdb_slot_snapshot(const struct fdb *fdb, uint32_t slot, uint64_t *key)
{
	const _Atomic uint64_t *at = fdb_slot_value(fdb, slot);

	for (;;) {
		uint64_t value = atomic_load_explicit(at, memory_order_acquire);

		*key = atomic_load_explicit(fdb_slot_key(fdb, slot), memory_order_acquire);
		if (FDB_READ(*at) == value)
			return value;
	}
}

#endif
