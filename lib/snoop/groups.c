/* SPDX-License-Identifier: BSD-3-Clause */
/* Updates the state of snooping by messages, and removes expired rows. */
#include <errno.h>
#include <stdlib.h>

#include "snoop/groups_internal.h"

struct groups *
groups_create(uint64_t seed)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (groups != NULL) {
		groups->seed = seed;
		groups->due = UINT64_MAX;
	}
	return groups;
}

/** Make the next sweep due at an expiry, unless it is due before. */
static void
groups_note_expiry(struct groups *groups, uint64_t when)
{
	if (when < groups->due)
		groups->due = when;
}

/** Get the state of a VLAN, created if there is none. @return NULL without memory */
static struct groups_vlan *
groups_get_vlan(struct groups *groups, uint16_t vlan)
{
	if (groups->vlan[vlan] == NULL)
		groups->vlan[vlan] = calloc(1, sizeof(**groups->vlan));
	return groups->vlan[vlan];
}

/** Add a port to those that get all multicast of a VLAN, or renew its timer. */
static void
groups_add_listener(
	struct groups *groups, uint16_t vlan, uint16_t port, enum groups_kind kind, uint64_t until)
{
	struct groups_vlan *state = groups_get_vlan(groups, vlan);
	struct listener *listener;

	if (state == NULL)
		return;
	groups_note_expiry(groups, until);
	for (listener = state->listeners; listener != NULL; listener = listener->next)
		if (listener->port == port && listener->kind == kind) {
			listener->until = until;
			return;
		}
	listener = malloc(sizeof(*listener));
	if (listener == NULL)
		return;
	*listener = (struct listener){
		.next = state->listeners, .kind = kind, .port = port, .until = until};
	state->listeners = listener;
	groups->changed = true;
}

/** @return the head of the list of groups in the bucket of a group */
static struct group **
groups_bucket(struct groups *groups, uint16_t vlan, const struct snoop_ip *ip)
{
	return &groups->bucket[snoop_hash(groups->seed, vlan, ip) % GROUPS_BUCKETS];
}

/** Find a group. @return NULL if there is none */
static struct group *
groups_find(struct groups *groups, uint16_t vlan, const struct snoop_ip *ip)
{
	struct group *group = *groups_bucket(groups, vlan, ip);

	while (group != NULL && (group->vlan != vlan || !snoop_ip_equal(&group->ip, ip)))
		group = group->next;
	return group;
}

/** Find the membership of a port in a group, which may be NULL. @return NULL if there is none */
static struct member *
groups_find_member(struct group *group, uint16_t port)
{
	struct member *member = group != NULL ? group->members : NULL;

	while (member != NULL && member->port != port)
		member = member->next;
	return member;
}

/** Add a group without members. @return NULL if above the limit or without memory */
static struct group *
groups_add(struct groups *groups, uint16_t vlan, const struct snoop_ip *ip)
{
	struct group **bucket = groups_bucket(groups, vlan, ip);
	struct group *group = groups->stats.groups < GROUPS_MAX ? calloc(1, sizeof(*group)) : NULL;

	if (group == NULL)
		return NULL;
	*group = (struct group){.next = *bucket, .ip = *ip, .vlan = vlan};
	*bucket = group;
	groups->stats.groups++;
	return group;
}

/** Add a membership, and its group if that is new. @return NULL above a limit or without memory */
static struct member *
groups_join(struct groups *groups, uint16_t vlan, const struct snoop_ip *ip, uint16_t port)
{
	struct groups_port *state = &groups->port[port];
	struct group *group = groups_find(groups, vlan, ip);

	if (state->memberships == GROUPS_PORT_MAX)
		return NULL;
	struct member *member = member_create(port);
	if (member == NULL)
		return NULL;
	if (group == NULL)
		group = groups_add(groups, vlan, ip);
	if (group == NULL) {
		member_free(member);
		return NULL;
	}
	member->next = group->members;
	group->members = member;
	state->memberships++;
	groups->stats.members++;
	groups->changed = true;
	return member;
}

/** Process one record of a report: begin, renew or shorten the membership of the port. */
static void
groups_update_member(struct groups *groups, uint64_t now, uint16_t port, uint16_t vlan,
	const struct snoop_record *record)
{
	uint64_t until = now + GROUPS_MEMBER_MS;
	uint64_t last = now + (groups->port[port].fast_leave ? 0 : GROUPS_LAST_MS);

	if (snoop_ip_is_for_all(&record->group))
		return;
	struct member *member = groups_find_member(groups_find(groups, vlan, &record->group), port);
	if (member == NULL && !member_begins(record))
		return;
	if (member == NULL)
		member = groups_join(groups, vlan, &record->group, port);
	if (member == NULL) {
		groups->stats.refused++;
		groups_add_listener(groups, vlan, port, GROUPS_OVERFLOW, until);
		return;
	}
	member_update(member, record, until, last);
	bool stays = record->change == SNOOP_EXCLUDE || record->change == SNOOP_INCLUDE;
	groups_note_expiry(groups, stays ? until : last);
}

/** Process a query: the port has the querier of the VLAN and a router. */
static void
groups_update_querier(struct groups *groups, uint64_t now, uint16_t port, uint16_t vlan,
	const struct snoop_message *message)
{
	/* RFC 4541 section 2.1.1 (1): a query from 0.0.0.0 or :: does not identify a router. */
	if (snoop_ip_is_unspecified(&message->source))
		return;
	struct groups_vlan *state = groups_get_vlan(groups, vlan);
	if (state == NULL)
		return;
	struct querier *querier = &state->querier[message->ipv6];
	groups->changed = groups->changed || querier->until == 0;
	*querier = (struct querier){
		.ip = message->source,
		.until = now + GROUPS_QUERIER_MS,
		.port = port,
		.version = message->version,
	};
	groups_note_expiry(groups, querier->until);
	groups_add_listener(groups, vlan, port, GROUPS_ROUTER, querier->until);
}

void
groups_receive(struct groups *groups, uint64_t now, uint16_t port, uint16_t vlan,
	const uint8_t *packet, uint32_t len, bool ipv6)
{
	bool may_route = groups->port[port].router != SNOOP_ROUTER_OFF;
	struct snoop_message message;
	struct snoop_record record;
	int rc = snoop_parse(packet, len, ipv6, &message);

	if (rc < 0) {
		groups->stats.malformed += rc == -EBADMSG;
		return;
	}
	groups->stats.messages++;
	if (message.kind == SNOOP_QUERY && may_route)
		groups_update_querier(groups, now, port, vlan, &message);
	else if (message.kind == SNOOP_HELLO && may_route)
		groups_add_listener(groups, vlan, port, GROUPS_ROUTER, now + GROUPS_QUERIER_MS);
	while (message.kind == SNOOP_REPORT && snoop_next_record(&message, &record))
		groups_update_member(groups, now, port, vlan, &record);
}

/** Selection of rows that a sweep removes: the expired ones, and all of a port. */
struct sweep {
	struct groups *groups;
	uint64_t now;
	uint16_t port; /**< PORT_NONE = expired rows only */
};

/** Remove the expired sources of a membership. @return its next expiry; 0: remove the membership */
static uint64_t
groups_sweep_member(const struct sweep *sweep, struct member *member)
{
	return member->port == sweep->port ? 0 : member_expire(member, sweep->now);
}

/** Remove the selected memberships of a group. */
static void
groups_sweep_group(const struct sweep *sweep, struct group *group)
{
	struct groups *groups = sweep->groups;
	struct member **link = &group->members, *member;

	while ((member = *link) != NULL) {
		uint64_t next = groups_sweep_member(sweep, member);
		if (next > 0) {
			groups_note_expiry(groups, next);
			link = &member->next;
			continue;
		}
		*link = member->next;
		groups->port[member->port].memberships--;
		groups->stats.members--;
		groups->changed = true;
		member_free(member);
	}
}

/** Sweep the groups of a bucket, and remove groups without members. */
static void
groups_sweep_bucket(const struct sweep *sweep, struct group **link)
{
	struct group *group;

	while ((group = *link) != NULL) {
		groups_sweep_group(sweep, group);
		if (group->members != NULL) {
			link = &group->next;
			continue;
		}
		*link = group->next;
		sweep->groups->stats.groups--;
		free(group);
	}
}

/** Remove the selected queriers and listeners of a VLAN. */
static void
groups_sweep_vlan(const struct sweep *sweep, struct groups_vlan *vlan)
{
	struct groups *groups = sweep->groups;
	struct listener **link = &vlan->listeners, *listener;

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct querier *querier = &vlan->querier[ipv6];
		if (querier->until == 0)
			continue;
		if (querier->until <= sweep->now || querier->port == sweep->port) {
			*querier = (struct querier){.until = 0};
			groups->changed = true;
		} else {
			groups_note_expiry(groups, querier->until);
		}
	}
	while ((listener = *link) != NULL) {
		if (listener->until > sweep->now && listener->port != sweep->port) {
			groups_note_expiry(groups, listener->until);
			link = &listener->next;
			continue;
		}
		*link = listener->next;
		groups->changed = true;
		free(listener);
	}
}

/** Remove all selected rows, and compute when the next sweep is due. */
static void
groups_sweep(const struct sweep *sweep)
{
	struct groups *groups = sweep->groups;

	groups->due = UINT64_MAX;
	for (unsigned i = 0; i < GROUPS_BUCKETS; i++)
		groups_sweep_bucket(sweep, &groups->bucket[i]);
	for (unsigned vlan = 0; vlan < VLAN_COUNT; vlan++) {
		if (groups->vlan[vlan] == NULL)
			continue;
		groups_sweep_vlan(sweep, groups->vlan[vlan]);
		const struct groups_vlan *left = groups->vlan[vlan];
		if (left->listeners != NULL || left->querier[0].until + left->querier[1].until > 0)
			continue;
		free(groups->vlan[vlan]);
		groups->vlan[vlan] = NULL;
	}
}

void
groups_expire(struct groups *groups, uint64_t now)
{
	if (groups->due <= now)
		groups_sweep(&(struct sweep){.groups = groups, .now = now, .port = PORT_NONE});
}

void
groups_forget_port(struct groups *groups, uint16_t port)
{
	groups_sweep(&(struct sweep){.groups = groups, .port = port});
}

/** Invalidate the queriers and routers of a port, which the next sweep removes. */
static void
groups_forget_routers(struct groups *groups, uint16_t port)
{
	for (unsigned vlan = 0; vlan < VLAN_COUNT; vlan++) {
		struct groups_vlan *state = groups->vlan[vlan];
		if (state == NULL)
			continue;
		for (int ipv6 = 0; ipv6 < 2; ipv6++)
			if (state->querier[ipv6].port == port)
				state->querier[ipv6] = (struct querier){.until = 0};
		struct listener *listener = state->listeners;
		for (; listener != NULL; listener = listener->next)
			if (listener->port == port && listener->kind == GROUPS_ROUTER)
				listener->until = 0;
	}
	groups->due = 0;
	groups->changed = true;
}

void
groups_set_port(struct groups *groups, uint16_t port, bool fast_leave, int router)
{
	struct groups_port *state = &groups->port[port];

	if (router != state->router) {
		groups->changed = true;
		if (router == SNOOP_ROUTER_OFF)
			groups_forget_routers(groups, port);
	}
	state->fast_leave = fast_leave;
	state->router = (uint8_t)router;
}

void
groups_destroy(struct groups *groups)
{
	if (groups == NULL)
		return;
	groups_sweep(&(struct sweep){.groups = groups, .now = UINT64_MAX, .port = PORT_NONE});
	free(groups);
}
