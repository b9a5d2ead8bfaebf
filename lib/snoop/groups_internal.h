/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to lib/snoop: the structures of groups and memberships.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_SNOOP_GROUPS_INTERNAL_H
#define SHUNT_SNOOP_GROUPS_INTERNAL_H

#include "snoop/groups.h"

enum { GROUPS_BUCKETS = 4096 };

/** A source of a membership (IGMPv3, MLDv2) and its expiry. */
struct member_source {
	struct snoop_ip ip;
	uint64_t until;
};

/** Membership of a port in a group. */
struct member {
	struct member *next;
	uint64_t until; /**< expiry for all sources; in the past: for `sources` only */
	uint16_t port;
	uint16_t n_sources;
	struct member_source *sources;
};

/** A multicast group in a VLAN. */
struct group {
	struct group *next; /**< in the bucket */
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

/** The querier of a VLAN. */
struct querier {
	struct snoop_ip ip;
	uint64_t until; /**< 0 = there is none */
	uint16_t port;
	uint8_t version;
};

/** State of a VLAN. */
struct groups_vlan {
	struct querier querier[2]; /**< by family, IPv6 = 1 */
	struct listener *listeners;
};

/** State of a port. */
struct groups_port {
	bool fast_leave;
	uint8_t router; /**< enum snoop_router */
	uint32_t memberships;
};

struct groups {
	uint64_t seed;
	bool changed;
	uint64_t due; /**< nothing expires before this time */
	struct groups_stats stats;
	struct groups_port port[PORT_MAX];
	struct groups_vlan *vlan[VLAN_COUNT]; /**< NULL = no querier and no listener */
	struct group *bucket[GROUPS_BUCKETS];
};

/* member.c */

/** Create a membership without sources. @param port id @return NULL without memory */
struct member *member_create(uint16_t port);

/** Free a membership, already out of its group's list. */
void member_free(struct member *member);

/** Whether a record begins a membership of a port that has none. */
bool member_begins(const struct snoop_record *record);

/**
 * Apply a record to a membership.
 *
 * @param until expiry of sources that the record joins
 * @param last expiry of sources that the record leaves, unless another host behind the port reports
 *        them
 */
void member_update(
	struct member *member, const struct snoop_record *record, uint64_t until, uint64_t last);

/**
 * Remove expired sources.
 *
 * @param now milliseconds
 * @return the next expiry in milliseconds; 0 if the membership has ended
 */
uint64_t member_expire(struct member *member, uint64_t now);

/** @return the expiry of the membership, if no more reports are received */
uint64_t member_until(const struct member *member);

#endif
