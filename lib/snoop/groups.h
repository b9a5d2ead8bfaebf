/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of snooping: groups by VLAN with the ports that have members, the ports that have routers,
 * and the querier of each VLAN, each with a timer of RFC 3376 section 8. The switch only listens to
 * hosts and routers: it sends no messages, and depends on a querier.
 *
 * Memberships of a port are limited. A port above its limit loses no traffic: it gets all multicast
 * of that VLAN, as it would without snooping.
 *
 * The caller gives the time, in milliseconds of a monotonic clock.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_SNOOP_GROUPS_H
#define SHUNT_SNOOP_GROUPS_H

#include "snoop/parse.h"
#include "snoop/router.h"
#include "snoop/table.h"

enum {
	GROUPS_MAX = 8192,          /**< groups, of all VLANs */
	GROUPS_PORT_MAX = 1024,     /**< memberships of one port */
	GROUPS_SOURCES_MAX = 16,    /**< sources of one membership; beyond, it is for all sources */
	GROUPS_MEMBER_MS = 260000,  /**< RFC 3376 section 8.4 */
	GROUPS_QUERIER_MS = 255000, /**< RFC 3376 section 8.5 */
	GROUPS_LAST_MS = 2000,      /**< RFC 3376 section 8.8: two queries, a second each */
};

struct groups;

/** Kinds of rows. */
enum groups_kind {
	GROUPS_QUERIER,
	GROUPS_ROUTER,
	GROUPS_OVERFLOW, /**< a port above a limit, which gets all multicast */
	GROUPS_MEMBER,
};

/** One row of the state. */
struct groups_row {
	enum groups_kind kind;
	uint16_t vlan;
	uint16_t port;
	uint8_t version;    /**< GROUPS_QUERIER: version of its protocol */
	struct snoop_ip ip; /**< GROUPS_MEMBER: the group; GROUPS_QUERIER: its address */
	uint64_t left_ms;   /**< time until it expires; 0 = never */
};

/** Statistics; the 64-bit counters only grow. */
struct groups_stats {
	uint32_t groups;
	uint32_t members;
	uint64_t messages;  /**< received and valid */
	uint64_t malformed; /**< received and invalid */
	uint64_t refused;   /**< memberships above a limit or without memory */
};

/** Create an empty state. @param seed of hashes, a secret @return NULL without memory */
struct groups *groups_create(uint64_t seed);

/** Free a state; NULL is ignored. */
void groups_destroy(struct groups *groups);

/**
 * Set the configuration of a port.
 *
 * @param port id, below PORT_MAX
 * @param fast_leave one host is behind the port: its leaves act at once
 * @param router enum snoop_router
 */
void groups_set_port(struct groups *groups, uint16_t port, bool fast_leave, int router);

/**
 * Process a packet received at a port.
 *
 * @param now milliseconds
 * @param port id, below PORT_MAX
 * @param vlan VLAN id; 0 = untagged
 * @param packet untrusted, from the IP header on; see snoop_parse()
 * @param len bytes of the packet
 * @param ipv6 the packet is IPv6, not IPv4
 */
void groups_receive(struct groups *groups, uint64_t now, uint16_t port, uint16_t vlan,
	const uint8_t *packet, uint32_t len, bool ipv6);

/** Remove expired rows. Call often; cheap while none is due. @param now milliseconds */
void groups_expire(struct groups *groups, uint64_t now);

/** Remove all memberships, routers and queriers of a port. @param port id, below PORT_MAX */
void groups_forget_port(struct groups *groups, uint16_t port);

/** Check whether the latest groups_table() may be out of date. @return true if it may */
bool groups_changed(const struct groups *groups);

/** Build the table for polling lcores. @return a table that the caller owns; NULL without memory */
struct snoop_table *groups_table(struct groups *groups);

/**
 * Visit all rows, in no order.
 *
 * @param now milliseconds
 * @param visit called for each row, which is valid during the call
 * @param arg passed to `visit`
 */
void groups_walk(const struct groups *groups, uint64_t now,
	void (*visit)(const struct groups_row *row, void *arg), void *arg);

/** Get the statistics. */
void groups_get_stats(const struct groups *groups, struct groups_stats *stats);

#endif
