/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What groups are made of. Private to lib/snoop; others use groups.h.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_SNOOP_GROUPS_INTERNAL_H
#define SHUNT_SNOOP_GROUPS_INTERNAL_H

#include "snoop/groups.h"

enum { GROUPS_BUCKETS = 4096 };

struct member_source {
	struct snoop_ip ip;
	uint64_t until;
};

/** Somebody behind a port listens to a group. */
struct member {
	struct member *next;
	uint64_t until; /**< to all sources; in the past = to those below alone */
	uint16_t port;
	uint16_t n_sources;
	struct member_source *sources;
};

struct group {
	struct group *next; /**< in its bucket */
	struct snoop_ip ip;
	uint16_t vlan;
	struct member *members;
};

/** A port that gets all multicast of a VLAN. */
struct listener {
	struct listener *next;
	enum groups_kind kind; /**< GROUPS_ROUTER or GROUPS_OVERFLOW */
	uint16_t port;
	uint64_t until;
};

struct querier {
	struct snoop_ip ip;
	uint64_t until; /**< 0 = none */
	uint16_t port;
	uint8_t version;
};

struct groups_vlan {
	struct querier querier[2]; /**< by family, IPv6 = 1 */
	struct listener *listeners;
};

struct groups_port {
	bool fast_leave;
	uint8_t router; /**< enum port_mcast_router */
	uint32_t memberships;
};

struct groups {
	uint64_t seed;
	bool changed;
	uint64_t due; /**< nothing is to be forgotten before */
	struct groups_stats stats;
	struct groups_port port[PORT_MAX];
	struct groups_vlan *vlan[VLAN_COUNT]; /**< NULL = nothing was heard there */
	struct group *bucket[GROUPS_BUCKETS];
};

/* member.c */

/** A new membership, of nothing yet. @return NULL when there is no memory */
struct member *member_create(uint16_t port);
void member_free(struct member *member);

/** Does a record make members of those who were not? */
bool member_begins(const struct snoop_record *record);

/** What a record says. @param last until when somebody else may object to a leave */
void member_update(
	struct member *member, const struct snoop_record *record, uint64_t until, uint64_t last);

/** Forget what is due. @return when the next is; 0: nothing is left of the membership */
uint64_t member_expire(struct member *member, uint64_t now);

/** When the membership ends, if nobody says more. */
uint64_t member_until(const struct member *member);

#endif
