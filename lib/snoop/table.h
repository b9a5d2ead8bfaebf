/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Table for polling lcores: sets of ports by multicast group and VLAN. Built for each snapshot
 * while snooping is enabled.
 *
 * Thread safety: built by the control thread, constant once published.
 */
#ifndef SHUNT_SNOOP_TABLE_H
#define SHUNT_SNOOP_TABLE_H

#include "port/port.h"
#include "snoop/address.h"
#include "vlan/vlan.h"

enum {
	SNOOP_WORDS = (PORT_MAX + 63) / 64,
	SNOOP_NO_SET =
		0xffff, /**< in place of the index of a set: there is none, frames are flooded */
};

/** A set of ports. */
struct snoop_set {
	uint64_t bits[SNOOP_WORDS]; /**< one bit per port id */
};

/**
 * Check whether a port is in a set.
 *
 * @param port id, below PORT_MAX
 * @return true if it is
 */
static inline bool
snoop_set_has(const struct snoop_set *set, uint16_t port)
{
	return set->bits[port / 64] >> port % 64 & 1;
}

/** Add a port to a set. @param port id, below PORT_MAX */
static inline void
snoop_set_add(struct snoop_set *set, uint16_t port)
{
	set->bits[port / 64] |= UINT64_C(1) << port % 64;
}

/** A slot of the hash table: a group in a VLAN, and its set. */
struct snoop_slot {
	struct snoop_ip group;
	uint16_t vlan;
	uint16_t set; /**< SNOOP_NO_SET = the slot is free */
};

/** The table; linear probing from the hash of group and VLAN. */
struct snoop_table {
	uint64_t seed; /**< secret, so that guests cannot choose groups that collide */
	uint32_t mask; /**< number of slots, a power of two, less one */
	uint32_t n_sets;
	struct snoop_set *sets;
	struct snoop_slot *slots;
	/** Set of routers by family (IPv6 = 1) and VLAN; SNOOP_NO_SET = no querier. */
	uint16_t routers[2][VLAN_COUNT];
};

/**
 * Hash a group in a VLAN.
 *
 * @param seed secret
 * @param vlan VLAN id; 0 = untagged
 * @return the hash
 */
uint64_t snoop_hash(uint64_t seed, uint16_t vlan, const struct snoop_ip *group);

/**
 * Create an empty table.
 *
 * @param seed of hashes, a secret
 * @param groups number of groups that will be added at most
 * @param sets number of sets that will be added at most
 * @return the table, owned by the caller; NULL without memory
 */
struct snoop_table *snoop_table_create(uint64_t seed, uint32_t groups, uint32_t sets);

/** Free a table; NULL is ignored. */
void snoop_table_free(struct snoop_table *table);

/** Add a set. @param like index of a set to copy; SNOOP_NO_SET = none @return index of the set */
uint16_t snoop_table_add_set(struct snoop_table *table, uint16_t like);

/**
 * Add a group that the table does not have yet.
 *
 * @param vlan VLAN id; 0 = untagged
 * @param set index from snoop_table_add_set()
 */
void snoop_table_add(
	struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group, uint16_t set);

/**
 * Find the set of routers for a group's family in a VLAN. Polling lcores.
 *
 * @param vlan VLAN id; 0 = untagged
 * @return index of the set; SNOOP_NO_SET: no querier
 */
static inline uint16_t
snoop_table_routers(const struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group)
{
	return table->routers[!snoop_ip_is_v4(group)][vlan];
}

/**
 * Find the ports that get data for a group in a VLAN. Polling lcores.
 *
 * @param vlan VLAN id; 0 = untagged
 * @return index of the set; SNOOP_NO_SET: flood
 */
uint16_t snoop_table_find(
	const struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group);

#endif
