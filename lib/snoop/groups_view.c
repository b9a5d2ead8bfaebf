/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the table for polling lcores, and lists the state of snooping. */
#include "snoop/groups_internal.h"

bool
groups_changed(const struct groups *groups)
{
	return groups->changed;
}

static bool
groups_has_querier(const struct groups *groups, uint16_t vlan, bool ipv6)
{
	return groups->vlan[vlan] != NULL && groups->vlan[vlan]->querier[ipv6].until > 0;
}

/** Add the set of ports that get all multicast of a VLAN. @return its index */
static uint16_t
groups_table_routers(const struct groups *groups, struct snoop_table *table, uint16_t vlan)
{
	uint16_t place = snoop_table_add_set(table, SNOOP_NO_SET);
	const struct listener *listener = groups->vlan[vlan]->listeners;

	for (; listener != NULL; listener = listener->next)
		if (listener->until > 0)
			snoop_set_add(&table->sets[place], listener->port);
	for (uint16_t port = 0; port < PORT_MAX; port++)
		if (groups->port[port].router == SNOOP_ROUTER_ON)
			snoop_set_add(&table->sets[place], port);
	return place;
}

/** @return the number of VLANs with a querier */
static uint32_t
groups_table_vlans(const struct groups *groups)
{
	uint32_t n = 0;

	for (uint16_t vlan = 0; vlan < VLAN_COUNT; vlan++)
		n += groups_has_querier(groups, vlan, false) ||
		     groups_has_querier(groups, vlan, true);
	return n;
}

/** Add a group with the ports of its members and of routers, if its VLAN has a querier. */
static void
groups_table_add(const struct group *group, struct snoop_table *table)
{
	uint16_t routers = snoop_table_routers(table, group->vlan, &group->ip);

	if (routers == SNOOP_NO_SET)
		return;
	uint16_t place = snoop_table_add_set(table, routers);
	for (const struct member *member = group->members; member != NULL; member = member->next)
		snoop_set_add(&table->sets[place], member->port);
	snoop_table_add(table, group->vlan, &group->ip, place);
}

struct snoop_table *
groups_table(struct groups *groups)
{
	uint32_t n_groups = groups->stats.groups;
	struct snoop_table *table =
		snoop_table_create(groups->seed, n_groups, n_groups + groups_table_vlans(groups));

	if (table == NULL)
		return NULL;
	for (uint16_t vlan = 0; vlan < VLAN_COUNT; vlan++) {
		bool ipv4 = groups_has_querier(groups, vlan, false);
		bool ipv6 = groups_has_querier(groups, vlan, true);
		if (!ipv4 && !ipv6)
			continue;
		uint16_t routers = groups_table_routers(groups, table, vlan);
		if (ipv4)
			table->routers[0][vlan] = routers;
		if (ipv6)
			table->routers[1][vlan] = routers;
	}
	for (unsigned i = 0; i < GROUPS_BUCKETS; i++)
		for (const struct group *one = groups->bucket[i]; one != NULL; one = one->next)
			groups_table_add(one, table);
	groups->changed = false;
	return table;
}

/** Arguments of a walk over all rows. */
struct walk {
	uint64_t now;
	void (*visit)(const struct groups_row *row, void *arg);
	void *arg;
};

/** Visit one row. @param until expiry; 0 = the row is invalid, UINT64_MAX = never */
static void
groups_walk_row(const struct walk *walk, struct groups_row row, uint64_t until)
{
	if (until == 0)
		return;
	/* A row that has expired exists until the next sweep. */
	row.left_ms = until > walk->now ? until - walk->now : 1;
	if (until == UINT64_MAX)
		row.left_ms = 0;
	walk->visit(&row, walk->arg);
}

/** Visit the queriers, routers and overflows of a VLAN. */
static void
groups_walk_vlan(const struct groups *groups, uint16_t vlan, const struct walk *walk)
{
	const struct groups_vlan *state = groups->vlan[vlan];

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct querier *querier = &state->querier[ipv6];
		const struct groups_row row = {
			.kind = GROUPS_QUERIER,
			.vlan = vlan,
			.port = querier->port,
			.version = querier->version,
			.ip = querier->ip,
		};
		groups_walk_row(walk, row, querier->until);
	}
	for (const struct listener *one = state->listeners; one != NULL; one = one->next) {
		const struct groups_row row = {.kind = one->kind, .vlan = vlan, .port = one->port};
		bool for_good = one->kind == GROUPS_ROUTER &&
				groups->port[one->port].router == SNOOP_ROUTER_ON;
		if (!for_good)
			groups_walk_row(walk, row, one->until);
	}
	for (uint16_t port = 0; port < PORT_MAX; port++) {
		const struct groups_row row = {.kind = GROUPS_ROUTER, .vlan = vlan, .port = port};
		if (groups->port[port].router == SNOOP_ROUTER_ON)
			groups_walk_row(walk, row, UINT64_MAX);
	}
}

/** Visit the memberships of a group. */
static void
groups_walk_group(const struct group *group, const struct walk *walk)
{
	for (const struct member *one = group->members; one != NULL; one = one->next) {
		const struct groups_row row = {
			.kind = GROUPS_MEMBER,
			.vlan = group->vlan,
			.port = one->port,
			.ip = group->ip,
		};
		groups_walk_row(walk, row, member_until(one));
	}
}

void
groups_walk(const struct groups *groups, uint64_t now,
	void (*visit)(const struct groups_row *row, void *arg), void *arg)
{
	const struct walk walk = {now, visit, arg};

	for (uint16_t vlan = 0; vlan < VLAN_COUNT; vlan++)
		if (groups->vlan[vlan] != NULL)
			groups_walk_vlan(groups, vlan, &walk);
	for (unsigned i = 0; i < GROUPS_BUCKETS; i++)
		for (const struct group *one = groups->bucket[i]; one != NULL; one = one->next)
			groups_walk_group(one, &walk);
}

void
groups_get_stats(const struct groups *groups, struct groups_stats *stats)
{
	*stats = groups->stats;
}
