/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filtering table (IEEE 802.1Q clause 8.8): which port an address was last seen at, one table
 * per VLAN, all in one hash table keyed by VLAN and address.
 *
 * A bucket is one cache line: four 8-byte keys, then their four 8-byte values. A key lives in one
 * of two buckets, so that the table can be filled to its capacity (half of its slots) without
 * refusing anybody. Values carry the port, the epoch the address was last seen in, and the
 * generations of port and VLAN: raising a generation flushes a port or a VLAN without a walk, and
 * entries seen in the current epoch are refreshed without a write.
 *
 * Thread safety: lookups take no lock and may run on any number of polling lcores beside one
 * writer; learning takes a lock only where an entry changes hands (new address, moved address).
 * Control functions (everything below "control thread") are for the control thread alone.
 * Lookups never wait. Learning waits for control functions, and for other lcores, no longer than a
 * few slots' work takes: should the holder of the lock lose its CPU, then addresses are not learnt
 * from these frames but from later ones.
 */
#ifndef SHUNT_FDB_FDB_H
#define SHUNT_FDB_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mac.h"

enum {
	FDB_CAPACITY_MIN = 64,
	FDB_CAPACITY_MAX = 1048576,
	FDB_CAPACITY_DEFAULT = 65536,
	FDB_AGEING_MIN = 10, /**< seconds, IEEE 802.1Q table 8-6 */
	FDB_AGEING_MAX = 1000000,
	FDB_AGEING_DEFAULT = 300,
	FDB_MOVES_WINDOW = 10, /**< seconds in which moves of an address are counted */
	FDB_MOVES_HOLD = 30,   /**< seconds that it then stays where it is */
	FDB_MOVES_MAX = 1000000,
	FDB_MOVES_DEFAULT = 5, /**< RFC 7432 section 15.1 */
	FDB_BURST_MAX = 64,
	FDB_PORT_MAX = 4096, /**< port ids are below this */
	FDB_VLAN_MAX = 4096,
	FDB_MISS = 0xffff, /**< what a lookup yields for an unknown address */
};

struct fdb;

/** What control asks for; zero means the default. */
struct fdb_config {
	uint32_t capacity; /**< entries, FDB_CAPACITY_MIN..MAX */
	uint32_t ageing;   /**< seconds, FDB_AGEING_MIN..MAX */
	uint32_t moves;    /**< of an address within FDB_MOVES_WINDOW, 1..FDB_MOVES_MAX */
};

/** One row of the table, as control sees it. */
struct fdb_entry {
	uint64_t mac;
	uint16_t vlan; /**< 0 = untagged */
	uint16_t port;
	bool is_static;
	uint32_t age; /**< seconds since last seen; 0 for static entries */
};

/** Totals; each counter only grows. */
struct fdb_stats {
	uint32_t entries; /**< live now, static ones included */
	uint32_t capacity;
	uint64_t learned;
	uint64_t moved;
	uint64_t aged;
	/** Table full, or port at its limit, or no free slot in reach, or the lock not to be had. */
	uint64_t refused;
	uint64_t stuck;    /**< addresses of sticky ports that another port sent from */
	uint64_t damped;   /**< moves of addresses that had moved too often */
	uint64_t replaced; /**< entries a full table took from ports over their share */
};

/** The key of an address in a VLAN; never 0. */
static inline uint64_t
fdb_key(uint64_t mac, uint16_t vlan)
{
	return mac | (uint64_t)vlan << 48 | UINT64_C(1) << 63;
}

/* Polling lcores ---------------------------------------------------------------------------- */

/**
 * Addresses of a burst, to be looked up or learnt, in steps with as much as possible in between: add
 * them, look, then fdb_lookup_burst() or fdb_learn_burst(). What each step needs the one before has
 * asked the memory for. Belongs to one lcore; begins with n = 0.
 */
struct fdb_query {
	uint64_t key[FDB_BURST_MAX];
	uint64_t hash[FDB_BURST_MAX];
	uint64_t value[FDB_BURST_MAX];
	uint16_t port[FDB_BURST_MAX];  /**< answers of fdb_lookup_burst(): port ids, or FDB_MISS */
	uint8_t missed[FDB_BURST_MAX]; /**< places of keys not found so far */
	unsigned misses;
	uint32_t displaced; /**< entries that had changed buckets when it looked */
	bool changed; /**< answer of fdb_learn_burst(): queries that have looked are to look again */
	unsigned n;   /**< addresses */
};

/**
 * Add an address, unless it is the one before.
 *
 * @param query below FDB_BURST_MAX addresses
 * @param key fdb_key() of it
 * @return its place in the query
 */
unsigned fdb_query_add(const struct fdb *fdb, struct fdb_query *query, uint64_t key);

/** Look for the addresses where most of them are. */
void fdb_query_look(const struct fdb *fdb, struct fdb_query *query);

/** Find the ports of a burst of addresses. */
void fdb_lookup_burst(const struct fdb *fdb, struct fdb_query *query);

/**
 * Learn or refresh a burst of source addresses of one port. Keys of group addresses must not be given.
 * An entry that says the same already is not written. Static entries do not move, nor do those of
 * sticky ports, nor for a while those that moved too often.
 *
 * @param port where they were seen, below FDB_PORT_MAX
 * @return how many addresses were not learnt, for any of the reasons that fdb_stats counts
 */
unsigned fdb_learn_burst(struct fdb *fdb, struct fdb_query *query, uint16_t port);

/* Control thread ---------------------------------------------------------------------------- */

/** @return a table, or NULL with errno set (EINVAL, ENOMEM) */
struct fdb *fdb_create(const struct fdb_config *config);
void fdb_destroy(struct fdb *fdb);

/** Change the ageing time of a running table. @return 0 or -EINVAL */
int fdb_set_ageing(struct fdb *fdb, uint32_t seconds);
uint32_t fdb_ageing(const struct fdb *fdb);

/** Change how often addresses may move. @return 0 or -EINVAL */
int fdb_set_moves(struct fdb *fdb, uint32_t moves);
uint32_t fdb_moves(const struct fdb *fdb);

/**
 * Tell the table the time and let it remove what has aged out. Call about once a second. Entries
 * stay for at least the ageing time, and for at most a second more (1/32767 of an ageing time that
 * is longer than 32767 s) and the interval of the calls.
 *
 * @param now seconds of a monotonic clock
 */
void fdb_age(struct fdb *fdb, uint64_t now);

/** At most that many dynamic entries of a port; 0 = no limit. */
void fdb_set_limit(struct fdb *fdb, uint16_t port, uint32_t limit);

/** Addresses learnt at a sticky port do not move to another one until they age out. */
void fdb_set_sticky(struct fdb *fdb, uint16_t port, bool sticky);

/**
 * Add a static entry or turn a dynamic one static, wherever that was. A full table loses a dynamic
 * entry of one of its largest holders.
 *
 * @return 0, -EEXIST (static on another port), -ENOSPC, -EINVAL
 */
int fdb_add_static(struct fdb *fdb, uint64_t mac, uint16_t vlan, uint16_t port);

/** Remove an entry of either kind. @return 0 or -ENOENT */
int fdb_del(struct fdb *fdb, uint64_t mac, uint16_t vlan);

/** Forget the dynamic entries of a port, without a walk. */
void fdb_flush_port(struct fdb *fdb, uint16_t port);

/**
 * Forget the dynamic entries of a VLAN, without a walk. They count against the capacity and the
 * limits of their ports until the next fdb_age().
 */
void fdb_flush_vlan(struct fdb *fdb, uint16_t vlan);

/** Forget dynamic entries by walking: port or FDB_MISS for any; vlan or -1 for any. @return count */
uint32_t fdb_flush(struct fdb *fdb, uint16_t port, int vlan);

/**
 * A port is gone: forget its entries of both kinds, its limit, that it was sticky, and its part in
 * the totals, so that its id can be reused.
 */
void fdb_forget_port(struct fdb *fdb, uint16_t port);

/**
 * Visit every live entry once, in no order. What is learnt meanwhile may be visited or not; very
 * few new addresses are refused meanwhile, since entries may not make space for others by changing
 * places. The visitor must not call into the table.
 *
 * @param visit called for each; returning false ends the walk
 */
void fdb_walk(struct fdb *fdb, bool (*visit)(const struct fdb_entry *entry, void *arg), void *arg);

/** Find an entry. @return false: there is none */
bool fdb_get(const struct fdb *fdb, uint64_t mac, uint16_t vlan, struct fdb_entry *entry);

void fdb_get_stats(const struct fdb *fdb, struct fdb_stats *stats);

/** One port's. The counters are of addresses seen there and not learnt there, as in fdb_stats. */
struct fdb_port_stats {
	uint32_t entries; /**< live dynamic ones */
	uint64_t refused;
	uint64_t stuck;
	uint64_t damped;
};

/** @param port below FDB_PORT_MAX */
void fdb_get_port_stats(const struct fdb *fdb, uint16_t port, struct fdb_port_stats *stats);

/** Live dynamic entries of a port. */
uint32_t fdb_port_entries(const struct fdb *fdb, uint16_t port);

#endif
