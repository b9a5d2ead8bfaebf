/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be configured about a port: the structure, and the one table that describes its keys.
 * The switch reads files and requests by it; the command line prints help, the manual page and
 * completion from it. Nothing here needs DPDK, so that the command line links it.
 *
 * Thread safety: constant tables; functions touch only what they are given.
 */
#ifndef SHUNT_PORT_KEYS_H
#define SHUNT_PORT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

enum {
	PORT_NAME_MAX = 32,
	PORT_QUEUES_MAX = 128,
	PORT_NUMA_AUTO = -1,
	PORT_TRUNK_MAX = 256,
	PORT_STORM_MAX = 100000000,          /**< frames a second */
	PORT_MACS_MAX = 32,                  /**< addresses that a port may be bound to */
	PORT_MACS_TEXT = PORT_MACS_MAX * 18, /**< bytes of the list of them */
	PORT_RESERVED_TEXT = 96,             /**< bytes of the list of reserved addresses */
	PORT_DRIVER_CONFIG_MAX = 640,
};

struct port_driver;

/** What begins a port's tags. */
enum port_vlan_protocol { PORT_VLAN_8021Q, PORT_VLAN_8021AD };

/** Whom a port may reach, as the modes of Linux' macvlan of the same names. */
enum port_policy {
	PORT_BRIDGE,   /**< others by the filtering table (VEB) */
	PORT_VEPA,     /**< all by way of the uplink, which sends back what is for others here */
	PORT_PRIVATE,  /**< nobody but the uplink */
	PORT_PASSTHRU, /**< the uplink is its own */
};

/** What another port gets copies of. */
enum port_mirror { PORT_MIRROR_BOTH, PORT_MIRROR_RX, PORT_MIRROR_TX };

/** Does a multicast router live behind a port? For snooping. */
enum port_mcast_router {
	PORT_ROUTER_AUTO, /**< while one is heard */
	PORT_ROUTER_ON,
	PORT_ROUTER_OFF, /**< what sounds like one is not believed */
};

/** What a user configured; plain bytes, compared and copied as such. */
struct port_config {
	char name[PORT_NAME_MAX];
	const struct port_driver *driver;
	bool enabled;
	int64_t numa;               /**< PORT_NUMA_AUTO or a node */
	int64_t mac_limit;          /**< dynamic FDB entries, 0 = no limit */
	int64_t vlan;               /**< access port of this VLAN; 0 = none */
	int64_t native;             /**< trunk: VLAN of frames without a tag; 0 = none */
	int64_t vlan_protocol;      /**< enum port_vlan_protocol */
	char trunk[PORT_TRUNK_MAX]; /**< VLANs with a tag; "" = no trunk */
	int64_t policy;             /**< enum port_policy */
	char uplink[PORT_NAME_MAX]; /**< the port that the policy is about; "" = none */
	bool learn;
	bool flood;       /**< unknown unicast may leave here */
	bool mcast_flood; /**< multicast may leave here */
	bool isolated;
	char forward_reserved[PORT_RESERVED_TEXT]; /**< reserved addresses that pass; "" = none */
	int64_t rate_in;            /**< bits per second from the port, 0 = no limit */
	int64_t rate_out;           /**< bits per second to it, 0 = no limit */
	int64_t burst_in;           /**< bytes, 0 = what suits rate_in */
	int64_t burst_out;          /**< bytes, 0 = what suits rate_out */
	int64_t queue_out;          /**< packet buffers for frames that wait for rate_out */
	char mirror[PORT_NAME_MAX]; /**< the port that copies leave by; "" = none */
	int64_t mirror_direction;   /**< enum port_mirror */
	bool sticky;                /**< addresses learnt here do not move away */
	char macs[PORT_MACS_TEXT];  /**< sources that frames may have; "" = any */
	int64_t storm;              /**< frames to everybody a second; 0 = any number */
	bool macs_arp;              /**< ARP and neighbour discovery speak for these only */
	bool fast_leave; /**< snooping: one host is behind this port, whose leaves hold at once */
	int64_t mcast_router; /**< snooping: enum port_mcast_router */
	_Alignas(8) char driver_config[PORT_DRIVER_CONFIG_MAX];
};

/** A type of port as a user meets it. */
struct port_type {
	const char *name;
	const char *help;
	const struct key *keys; /**< of driver_config, ended by a NULL name */

	/** Fill the zeroed driver_config with what holds when a key is absent. */
	void (*defaults)(void *driver_config);
};

/** Keys that every port has. */
extern const struct key port_common_keys[];

/** Fill the part of a zeroed configuration that every port has with its defaults. */
void port_config_defaults(struct port_config *config);

#endif
