/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who listens to what: groups by VLAN with the ports that have members, the ports that have
 * routers, and the querier of each VLAN, all for as long as RFC 3376 section 8 lets them be known.
 * Hosts and routers are heard only: the switch sends nothing of its own, and depends on a querier.
 *
 * What a port may have known is limited. A port over its limit is not kept from anything: it gets
 * all multicast of that VLAN, as it would without snooping.
 *
 * Time is given by the caller: milliseconds of a clock that does not go back.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_SNOOP_GROUPS_H
#define SHUNT_SNOOP_GROUPS_H

#include "snoop/parse.h"
#include "snoop/table.h"

enum {
	GROUPS_MAX = 8192,       /**< groups, of all VLANs */
	GROUPS_PORT_MAX = 1024,  /**< memberships of one port */
	GROUPS_SOURCES_MAX = 16, /**< sources of one membership; with more it is for all sources */
	GROUPS_MEMBER_MS = 260000,  /**< RFC 3376 section 8.4 */
	GROUPS_QUERIER_MS = 255000, /**< RFC 3376 section 8.5 */
	GROUPS_LAST_MS = 2000,      /**< RFC 3376 section 8.8: two queries, a second each */
};

struct groups;

enum groups_kind {
	GROUPS_QUERIER,
	GROUPS_ROUTER,
	GROUPS_OVERFLOW, /**< a port over its limit, which gets everything */
	GROUPS_MEMBER,
};

/** What is known, in rows. */
struct groups_row {
	enum groups_kind kind;
	uint16_t vlan;
	uint16_t port;
	uint8_t version;    /**< of the querier's protocol */
	struct snoop_ip ip; /**< of a member the group, of a querier its address */
	uint64_t left_ms;   /**< until it is forgotten; 0 = never */
};

struct groups_stats {
	uint32_t groups;
	uint32_t members;
	uint64_t messages;  /**< heard and understood */
	uint64_t malformed; /**< that were not as they must be */
	uint64_t refused;   /**< memberships over a limit */
};

/** @param seed of hashes, which nobody should know. @return NULL when there is no memory */
struct groups *groups_create(uint64_t seed);
void groups_destroy(struct groups *groups);

/** Say what a port is configured to be. @param router enum port_mcast_router */
void groups_set_port(struct groups *groups, uint16_t port, bool fast_leave, int router);

/** A packet of a message came in at a port. */
void groups_receive(struct groups *groups, uint64_t now, uint16_t port, uint16_t vlan,
	const uint8_t *packet, uint32_t len, bool ipv6);

/** Forget what is due. To be called often; costs nothing while nothing is due. */
void groups_expire(struct groups *groups, uint64_t now);

/** Forget all that was heard at a port. */
void groups_forget_port(struct groups *groups, uint16_t port);

/** Has what polling lcores need changed since groups_table()? */
bool groups_changed(const struct groups *groups);

/** Make the table for polling lcores. @return NULL when there is no memory; the caller owns it */
struct snoop_table *groups_table(struct groups *groups);

/** Visit all rows, in no order. */
void groups_walk(const struct groups *groups, uint64_t now,
	void (*visit)(const struct groups_row *row, void *arg), void *arg);

void groups_get_stats(const struct groups *groups, struct groups_stats *stats);

#endif
