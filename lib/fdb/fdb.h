/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The FDB (filtering database, IEEE 802.1Q clause 8.8): the port by VLAN and MAC address, in one
 * cuckoo hash table keyed by both.
 *
 * A bucket is one cache line: four 8-byte keys, then their four 8-byte values. A key is in one of
 * two buckets, so that the table can be filled to its capacity (half of its slots) without
 * refusing an address. A value holds the port, the ageing epoch in which the address was last
 * seen, and the generations of port and VLAN. Raising a generation flushes a port or a VLAN
 * without a walk. An entry already seen in the current epoch is refreshed without a write.
 *
 * Thread safety: lookups take no lock and may run on any number of polling lcores beside one
 * writer. Learning takes a lock for new and moved addresses only. Functions below "Control thread"
 * are for the control thread alone. Lookups never wait. Learning waits for the control thread and
 * for other lcores no longer than work on a few slots takes: if the holder of the lock has lost
 * its CPU, addresses are refused and learnt from later frames instead.
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
	FDB_MOVES_DAMP = 30,   /**< seconds that an address may not move after too many moves */
	FDB_MOVES_MAX = 1000000,
	FDB_MOVES_DEFAULT = 5, /**< RFC 7432 section 15.1 */
	FDB_BURST_MAX = 64,
	FDB_PORT_MAX = 4096, /**< port ids are below this */
	FDB_VLAN_MAX = 4096,
	FDB_MISS = 0xffff, /**< result of a lookup of an unknown address */
};

struct fdb;

/** Configuration of an FDB; zero means the default. */
struct fdb_config {
	uint32_t capacity; /**< entries, FDB_CAPACITY_MIN..MAX */
	uint32_t ageing;   /**< seconds, FDB_AGEING_MIN..MAX */
	uint32_t moves;    /**< limit for an address in FDB_MOVES_WINDOW, 1..FDB_MOVES_MAX */
};

/** One entry, as control functions report it. */
struct fdb_entry {
	uint64_t mac;
	uint16_t vlan; /**< 0 = untagged */
	uint16_t port;
	bool is_static;
	uint32_t age; /**< seconds since last seen; 0 for static entries */
};

/** Statistics; each 64-bit counter only grows. */
struct fdb_stats {
	uint32_t entries; /**< live now, static ones included */
	uint32_t capacity;
	uint64_t learned;
	uint64_t moved;
	uint64_t aged;
	/** Table full, port at its limit, no vacant slot within the search, or the lock not available. */
	uint64_t refused;
	uint64_t stuck;    /**< addresses of sticky ports that were seen at another port */
	uint64_t damped;   /**< moves refused because the address had moved too often */
	uint64_t replaced; /**< entries that a full table took from ports above their share */
};

/**
 * Make the key of an address in a VLAN.
 *
 * @param mac address, below 2^48
 * @param vlan VLAN id; 0 = untagged
 * @return the key, never 0
 */
static inline uint64_t
fdb_key(uint64_t mac, uint16_t vlan)
{
	return mac | (uint64_t)vlan << 48 | UINT64_C(1) << 63;
}

/* Polling lcores ---------------------------------------------------------------------------- */

/**
 * FDB batch: addresses of a burst that are looked up or learnt together. Three steps:
 * fdb_query_add() for each, fdb_query_look(), then fdb_lookup_burst() or fdb_learn_burst(). Each
 * step prefetches the memory that the next one reads, so other work should lie between them.
 * Belongs to one lcore; begins with n = 0.
 */
struct fdb_query {
	uint64_t key[FDB_BURST_MAX];
	uint64_t hash[FDB_BURST_MAX];
	uint64_t value[FDB_BURST_MAX];
	uint16_t port[FDB_BURST_MAX];  /**< results of fdb_lookup_burst(): port ids or FDB_MISS */
	uint8_t missed[FDB_BURST_MAX]; /**< indices of keys not found so far */
	unsigned misses;
	uint32_t displaced; /**< the FDB's count of displaced entries before the search */
	bool changed; /**< result of fdb_learn_burst(): repeat fdb_query_look() of other queries */
	unsigned n;   /**< addresses */
};

/**
 * Add an address to a query, unless it equals the previous one. Polling lcores.
 *
 * @param query has less than FDB_BURST_MAX addresses
 * @param key from fdb_key()
 * @return index of the address in the query
 */
unsigned fdb_query_add(const struct fdb *fdb, struct fdb_query *query, uint64_t key);

/** Search the first bucket of each address; most entries are there. Polling lcores. */
void fdb_query_look(const struct fdb *fdb, struct fdb_query *query);

/** Find the port of each address of a query after fdb_query_look(). Polling lcores. */
void fdb_lookup_burst(const struct fdb *fdb, struct fdb_query *query);

/**
 * Learn or refresh the source addresses of a query after fdb_query_look(). Keys of group addresses
 * are not allowed. An entry that is up to date is not written. Static entries and entries of
 * sticky ports do not move, nor do, for FDB_MOVES_DAMP seconds, addresses that moved too often.
 * Polling lcores.
 *
 * @param port source port, below FDB_PORT_MAX
 * @return number of addresses not learnt, for one of the reasons that fdb_stats counts
 */
unsigned fdb_learn_burst(struct fdb *fdb, struct fdb_query *query, uint16_t port);

/* Control thread ---------------------------------------------------------------------------- */

/** Create an FDB. @return it; NULL with errno set (EINVAL, ENOMEM) */
struct fdb *fdb_create(const struct fdb_config *config);

/** Free an FDB that no polling lcore uses any more; NULL is ignored. */
void fdb_destroy(struct fdb *fdb);

/**
 * Change the ageing time of a running FDB.
 *
 * @param seconds FDB_AGEING_MIN to FDB_AGEING_MAX
 * @return 0 or -EINVAL
 */
int fdb_set_ageing(struct fdb *fdb, uint32_t seconds);

/** @return the ageing time in seconds */
uint32_t fdb_ageing(const struct fdb *fdb);

/**
 * Limit the moves of an address within FDB_MOVES_WINDOW.
 *
 * @param moves 1 to FDB_MOVES_MAX
 * @return 0 or -EINVAL
 */
int fdb_set_moves(struct fdb *fdb, uint32_t moves);

/** @return the limit of moves */
uint32_t fdb_moves(const struct fdb *fdb);

/**
 * Set the time and remove entries that have aged out. Call about once a second. Entries stay for at
 * least the ageing time, and for at most a second more (1/32767 of an ageing time that is longer
 * than 32767 s) plus the interval of the calls.
 *
 * @param now seconds of a monotonic clock
 */
void fdb_age(struct fdb *fdb, uint64_t now);

/**
 * Limit the dynamic entries of a port. Entries above the limit stay until they age out.
 *
 * @param port below FDB_PORT_MAX
 * @param limit number of entries; 0 = no limit
 */
void fdb_set_limit(struct fdb *fdb, uint16_t port, uint32_t limit);

/**
 * Make a port sticky: addresses learnt there do not move to another port until they age out.
 *
 * @param port below FDB_PORT_MAX
 * @param sticky false ends it
 */
void fdb_set_sticky(struct fdb *fdb, uint16_t port, bool sticky);

/**
 * Add a static entry, or turn a dynamic entry of any port into a static one of this port. In a full
 * table it replaces a dynamic entry of a port that has at least the average number.
 *
 * @param mac address, below 2^48
 * @param vlan VLAN id; 0 = untagged
 * @param port below FDB_PORT_MAX
 * @return 0, -EEXIST (static on another port), -ENOSPC, -EINVAL
 */
int fdb_add_static(struct fdb *fdb, uint64_t mac, uint16_t vlan, uint16_t port);

/**
 * Remove a static or dynamic entry.
 *
 * @param mac address, below 2^48
 * @param vlan VLAN id; 0 = untagged
 * @return 0 or -ENOENT
 */
int fdb_del(struct fdb *fdb, uint64_t mac, uint16_t vlan);

/** Flush the dynamic entries of a port, without a walk. @param port below FDB_PORT_MAX */
void fdb_flush_port(struct fdb *fdb, uint16_t port);

/**
 * Flush the dynamic entries of a VLAN, without a walk. They count against the capacity and the
 * limits of their ports until the next fdb_age().
 *
 * @param vlan below FDB_VLAN_MAX
 */
void fdb_flush_vlan(struct fdb *fdb, uint16_t vlan);

/**
 * Flush dynamic entries by a walk of the table.
 *
 * @param port FDB_MISS: of all ports
 * @param vlan -1: of all VLANs
 * @return number of live entries removed
 */
uint32_t fdb_flush(struct fdb *fdb, uint16_t port, int vlan);

/**
 * Forget a port, so that its id can be reused: remove its static and dynamic entries, its limit and
 * its stickiness. Its statistics stay in the totals of fdb_get_stats(), but are no longer the id's.
 *
 * @param port below FDB_PORT_MAX
 */
void fdb_forget_port(struct fdb *fdb, uint16_t port);

/**
 * Visit every live entry once, in no order. Entries learnt during the walk may be visited or not.
 * Entries keep their buckets during the walk, which may cause a few new addresses to be refused.
 * The visitor must not call functions of the FDB.
 *
 * @param visit called for each entry; returns false to end the walk
 * @param arg passed to `visit`
 */
void fdb_walk(struct fdb *fdb, bool (*visit)(const struct fdb_entry *entry, void *arg), void *arg);

/**
 * Look up one entry.
 *
 * @param mac address, below 2^48
 * @param vlan VLAN id; 0 = untagged
 * @return true if there is one, with *entry filled
 */
bool fdb_get(const struct fdb *fdb, uint64_t mac, uint16_t vlan, struct fdb_entry *entry);

/** Get the statistics; walks the table if a flush has left entries. */
void fdb_get_stats(const struct fdb *fdb, struct fdb_stats *stats);

/** Statistics of a port; counters as in fdb_stats, of addresses seen there and not learnt there. */
struct fdb_port_stats {
	uint32_t entries; /**< live dynamic entries */
	uint64_t refused;
	uint64_t stuck;
	uint64_t damped;
};

/** Get the statistics of a port. @param port below FDB_PORT_MAX */
void fdb_get_port_stats(const struct fdb *fdb, uint16_t port, struct fdb_port_stats *stats);

/**
 * Count the live dynamic entries of a port.
 *
 * @param port below FDB_PORT_MAX
 * @return number of entries
 */
uint32_t fdb_port_entries(const struct fdb *fdb, uint16_t port);

#endif
