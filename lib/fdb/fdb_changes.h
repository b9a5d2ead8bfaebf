/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record of changes of an FDB: a ring of fixed size, filled under the table's lock, so that
 * changes by all polling lcores and the control thread are in one order, and emptied by the control
 * thread. A refresh is not recorded, so that recording costs the common path nothing.
 *
 * Thread safety: the functions are for the control thread. Polling lcores record without waiting.
 */
#ifndef SHUNT_FDB_CHANGES_H
#define SHUNT_FDB_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

struct fdb;

enum {
	FDB_CHANGES_MAX = 8192, /**< changes recorded and not taken; a power of two */
	FDB_VLAN_ALL = 0xffff,  /**< in a flush: of all VLANs */
};

/** Kind of a change. */
enum fdb_action {
	FDB_ACTION_NONE,
	FDB_ACTION_LEARNED,
	FDB_ACTION_MOVED,   /**< seen at another port */
	FDB_ACTION_AGED,    /**< not seen for the ageing time */
	FDB_ACTION_EVICTED, /**< replaced, in a full table, by an address of another port */
	FDB_ACTION_ADDED,   /**< static entry; replaces a dynamic one */
	FDB_ACTION_DELETED, /**< one entry, static or dynamic, on request */
	FDB_ACTION_FLUSHED, /**< many entries at once */
};

/** One change. */
struct fdb_change {
	uint64_t mac;      /**< 0 for a flush */
	uint16_t vlan;     /**< of a flush: FDB_VLAN_ALL = any */
	uint16_t port;     /**< id; of a flush: FDB_MISS = any */
	uint16_t old_port; /**< FDB_ACTION_MOVED: where the address was before */
	uint8_t action;    /**< enum fdb_action */
	bool statics;      /**< FDB_ACTION_FLUSHED: static entries, too */
};

/**
 * Begin or end to record changes. Changes that were not taken before are discarded.
 *
 * @param on true: begin
 * @return 0; -ENOMEM, and nothing is recorded
 */
int fdb_changes_record(struct fdb *fdb, bool on);

/** Take the oldest change. @return false if there is none */
bool fdb_changes_take(struct fdb *fdb, struct fdb_change *change);

/** @return number of changes lost since the latest call because the ring was full */
uint64_t fdb_changes_lost(struct fdb *fdb);

#endif
