/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds and searches the table of multicast groups for polling lcores. */
#include "snoop/table.h"

#include <stdlib.h>

#include <rte_common.h>

enum { TABLE_SLOTS_MIN = 16 };

/** Mix a word into a hash, so that each bit of both affects all bits of the result. */
static inline uint64_t
snoop_hash_mix(uint64_t hash, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ hash << 1;
}

uint64_t
snoop_hash(uint64_t seed, uint16_t vlan, const struct snoop_ip *group)
{
	uint64_t words[2];

	memcpy(words, group->bytes, sizeof(words));
	return snoop_hash_mix(snoop_hash_mix(snoop_hash_mix(seed, vlan), words[0]), words[1]);
}

struct snoop_table *
snoop_table_create(uint64_t seed, uint32_t groups, uint32_t sets)
{
	struct snoop_table *table = malloc(sizeof(*table));
	uint32_t slots = rte_align32pow2(RTE_MAX(2 * groups, (uint32_t)TABLE_SLOTS_MIN));

	if (table == NULL)
		return NULL;
	table->seed = seed;
	table->mask = slots - 1;
	table->n_sets = 0;
	table->sets = calloc(sets > 0 ? sets : 1, sizeof(*table->sets));
	table->slots = malloc(slots * sizeof(*table->slots));
	if (table->sets == NULL || table->slots == NULL) {
		snoop_table_free(table);
		return NULL;
	}
	for (uint32_t i = 0; i < slots; i++)
		table->slots[i].set = SNOOP_NO_SET;
	memset(table->routers, 0xff, sizeof(table->routers));
	return table;
}

void
snoop_table_free(struct snoop_table *table)
{
	if (table == NULL)
		return;
	free(table->sets);
	free(table->slots);
	free(table);
}

uint16_t
snoop_table_add_set(struct snoop_table *table, uint16_t like)
{
	if (like != SNOOP_NO_SET)
		table->sets[table->n_sets] = table->sets[like];
	return (uint16_t)table->n_sets++;
}

/** Find the slot of a group, or a free slot for it; half of all slots are free. @return the slot */
static struct snoop_slot *
table_slot(const struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group)
{
	uint32_t at = (uint32_t)snoop_hash(table->seed, vlan, group);

	for (;; at++) {
		struct snoop_slot *slot = &table->slots[at & table->mask];
		if (slot->set == SNOOP_NO_SET ||
			(slot->vlan == vlan && snoop_ip_equal(&slot->group, group)))
			return slot;
	}
}

void
snoop_table_add(
	struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group, uint16_t set)
{
	*table_slot(table, vlan, group) =
		(struct snoop_slot){.group = *group, .vlan = vlan, .set = set};
}

uint16_t
snoop_table_find(const struct snoop_table *table, uint16_t vlan, const struct snoop_ip *group)
{
	uint16_t routers = snoop_table_routers(table, vlan, group);

	if (routers == SNOOP_NO_SET)
		return SNOOP_NO_SET;
	uint16_t set = table_slot(table, vlan, group)->set;
	/* Flood unknown link-local groups: IPv6 fails if neighbour discovery is not delivered. */
	if (set == SNOOP_NO_SET && !snoop_ip_is_link_scope(group))
		return routers;
	return set;
}
