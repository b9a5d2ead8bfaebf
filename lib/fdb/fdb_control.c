/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control thread: static entries, deletion, flushes, listing.
 */
#include <errno.h>

#include "fdb/fdb_internal.h"

/* Entries that a flush by a walk removes. */
struct selection {
	uint16_t port; /* FDB_MISS: any */
	int vlan;      /* -1: any */
	bool statics;  /* static entries too */
};

/* Static entries ---------------------------------------------------------------------------- */

/** With the lock held: as fdb_add_static(), or -EAGAIN if eviction has not found an entry yet. */
static int
fdb_add_static_locked(struct fdb *fdb, uint64_t key, uint16_t port)
{
	uint64_t hash = fdb_hash(fdb, key);
	uint64_t wanted = fdb_value(fdb, key, port, 0) | FDB_STATIC;
	uint32_t slot = fdb_find(fdb, key, hash);

	if (slot != FDB_NONE) {
		uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));

		if (value & FDB_STATIC)
			return fdb_value_port(value) == port ? 0 : -EEXIST;
		if (fdb_is_live(fdb, key, value)) {
			fdb_slot_change(fdb, slot, wanted);
			fdb_record(fdb, FDB_ACTION_ADDED, key, port, FDB_MISS);
			return 0;
		}
		fdb_slot_clear(fdb, slot);
	}
	if (!fdb_make_space_static(fdb))
		return FDB_READ(fdb->dynamics) ? -EAGAIN : -ENOSPC;
	slot = fdb_slot_take(fdb, hash);
	if (slot == FDB_NONE)
		return -ENOSPC;
	fdb_slot_fill(fdb, slot, key, wanted);
	fdb_record(fdb, FDB_ACTION_ADDED, key, port, FDB_MISS);
	return 0;
}

int
fdb_add_static(struct fdb *fdb, uint64_t mac, uint16_t vlan, uint16_t port)
{
	int rc = -EAGAIN;

	if (mac & ~MAC_MASK || vlan >= FDB_VLAN_MAX || port >= FDB_PORT_MAX)
		return -EINVAL;
	/* One pass over the table is enough to find an entry to replace. */
	for (uint32_t looked = 0; rc == -EAGAIN && looked <= fdb->mask; looked += FDB_SLICE) {
		fdb_lock(fdb);
		rc = fdb_add_static_locked(fdb, fdb_key(mac, vlan), port);
		fdb_unlock(fdb);
	}
	return rc == -EAGAIN ? -ENOSPC : rc;
}

/** With the lock held: remove a live entry. @return 0 or -ENOENT */
static int
fdb_del_locked(struct fdb *fdb, uint64_t key)
{
	uint32_t slot = fdb_find(fdb, key, fdb_hash(fdb, key));
	uint64_t value = slot == FDB_NONE ? 0 : FDB_READ(*fdb_slot_value(fdb, slot));

	if (slot == FDB_NONE || !fdb_is_live(fdb, key, value))
		return -ENOENT;
	fdb_slot_clear(fdb, slot);
	fdb_record(fdb, FDB_ACTION_DELETED, key, fdb_value_port(value), FDB_MISS);
	return 0;
}

int
fdb_del(struct fdb *fdb, uint64_t mac, uint16_t vlan)
{
	int rc;

	if (mac & ~MAC_MASK || vlan >= FDB_VLAN_MAX)
		return -ENOENT;
	fdb_lock(fdb);
	rc = fdb_del_locked(fdb, fdb_key(mac, vlan));
	fdb_unlock(fdb);
	return rc;
}

/* Flushes ----------------------------------------------------------------------------------- */

/** fdb_sweep() selector: an entry of a struct selection. */
static bool
fdb_selection_has(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg)
{
	const struct selection *selection = arg;

	(void)fdb;
	if ((value & FDB_STATIC) && !selection->statics)
		return false;
	if (selection->port != FDB_MISS && selection->port != fdb_value_port(value))
		return false;
	return selection->vlan < 0 || selection->vlan == fdb_key_vlan(key);
}

/** Remove selected entries and all stale ones. @return number of live entries removed */
static uint32_t
fdb_flush_selection(struct fdb *fdb, const struct selection *selection)
{
	uint32_t removed;

	fdb_pin(fdb, true);
	removed = fdb_sweep(fdb, fdb_selection_has, selection, FDB_ACTION_NONE);
	fdb_pin(fdb, false);
	return removed;
}

uint32_t
fdb_flush(struct fdb *fdb, uint16_t port, int vlan)
{
	uint32_t removed =
		fdb_flush_selection(fdb, &(struct selection){.port = port, .vlan = vlan});

	if (removed == 0)
		return 0;
	fdb_lock(fdb);
	fdb_record_flush(fdb, port, vlan, false);
	fdb_unlock(fdb);
	return removed;
}

/** fdb_sweep() selector: no live entry, so that only stale ones are removed. */
static bool
fdb_selection_none(const struct fdb *fdb, uint64_t key, uint64_t value, const void *arg)
{
	(void)fdb;
	(void)key;
	(void)value;
	(void)arg;
	return false;
}

/**
 * Before a generation wraps and is used again, remove all stale entries: one with the same
 * generation would become live again.
 */
static void
fdb_sweep_before_wrap(struct fdb *fdb, bool wraps)
{
	if (!wraps)
		return;
	fdb_pin(fdb, true);
	fdb_sweep(fdb, fdb_selection_none, NULL, FDB_ACTION_NONE);
	fdb_pin(fdb, false);
}

/** With the lock held: flush the dynamic entries of a port. @return true: there were some */
static bool
fdb_raise_port_generation(struct fdb *fdb, uint16_t port)
{
	uint32_t entries = FDB_READ(fdb->port_count[port]);

	FDB_WRITE(fdb->port_gen[port], (uint16_t)(fdb->port_gen[port] + 1));
	if (entries)
		FDB_ADD(fdb->holders, -1);
	FDB_ADD(fdb->dynamics, -entries);
	FDB_WRITE(fdb->port_count[port], 0);
	return entries > 0;
}

void
fdb_flush_port(struct fdb *fdb, uint16_t port)
{
	if (port >= FDB_PORT_MAX)
		return;
	fdb_sweep_before_wrap(fdb, fdb->port_gen[port] == UINT16_MAX);
	fdb_lock(fdb);
	if (fdb_raise_port_generation(fdb, port))
		fdb_record_flush(fdb, port, -1, false);
	fdb_unlock(fdb);
	fdb->unswept = true;
}

void
fdb_flush_vlan(struct fdb *fdb, uint16_t vlan)
{
	if (vlan >= FDB_VLAN_MAX)
		return;
	fdb_sweep_before_wrap(fdb, fdb->vlan_gen[vlan] == UINT8_MAX);
	fdb_lock(fdb);
	FDB_WRITE(fdb->vlan_gen[vlan], (uint8_t)(fdb->vlan_gen[vlan] + 1));
	fdb_record_flush(fdb, FDB_MISS, vlan, false);
	fdb_unlock(fdb);
	fdb->unswept = true;
}

void
fdb_forget_port(struct fdb *fdb, uint16_t port)
{
	if (port >= FDB_PORT_MAX)
		return;
	fdb_sweep_before_wrap(fdb, fdb->port_gen[port] == UINT16_MAX);
	fdb_lock(fdb);
	bool dynamics = fdb_raise_port_generation(fdb, port);
	fdb_unlock(fdb);
	bool statics = fdb_flush_selection(
		fdb, &(struct selection){.port = port, .vlan = -1, .statics = true});
	fdb_lock(fdb);
	if (dynamics || statics)
		fdb_record_flush(fdb, port, -1, true);
	fdb_unlock(fdb);
	FDB_WRITE(fdb->port_limit[port], 0);
	FDB_WRITE(fdb->port_sticky[port], false);
	fdb_statistics_add(&fdb->forgotten, &fdb->port_statistics[port]);
	fdb->port_statistics[port] = (struct fdb_statistics){0};
}

/* Listing ----------------------------------------------------------------------------------- */

/** Convert a slot to an entry for control functions. */
static struct fdb_entry
fdb_entry_of(const struct fdb *fdb, uint64_t key, uint64_t value)
{
	bool is_static = value & FDB_STATIC;

	return (struct fdb_entry){
		.mac = key & MAC_MASK,
		.vlan = fdb_key_vlan(key),
		.port = fdb_value_port(value),
		.is_static = is_static,
		.age = is_static ? 0 : fdb_ticks(fdb, value) * fdb->tick,
	};
}

void
fdb_walk(struct fdb *fdb, bool (*visit)(const struct fdb_entry *entry, void *arg), void *arg)
{
	bool more = true;

	fdb_pin(fdb, true);
	for (uint32_t slot = 0; more && slot < (fdb->mask + 1) * FDB_WAYS; slot++) {
		uint64_t key;
		uint64_t value = fdb_slot_snapshot(fdb, slot, &key);

		if (fdb_is_live(fdb, key, value)) {
			struct fdb_entry entry = fdb_entry_of(fdb, key, value);

			more = visit(&entry, arg);
		}
	}
	fdb_pin(fdb, false);
}

bool
fdb_get(const struct fdb *fdb, uint64_t mac, uint16_t vlan, struct fdb_entry *entry)
{
	uint64_t key = fdb_key(mac, vlan);
	uint32_t slot = fdb_find(fdb, key, fdb_hash(fdb, key));

	if (slot == FDB_NONE)
		return false;
	uint64_t value = FDB_READ(*fdb_slot_value(fdb, slot));
	if (!fdb_is_live(fdb, key, value))
		return false;
	*entry = fdb_entry_of(fdb, key, value);
	return true;
}
