/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of a port: the structure, and the one table that describes its keys. The switch
 * parses files and requests by this table; the command line prints help, the manual page and
 * completion from it. Does not depend on DPDK, since the command line links it.
 *
 * Thread safety: constant tables; functions access only their arguments.
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
	PORT_STORM_MAX = 100000000,          /**< frames per second */
	PORT_MACS_MAX = 32,                  /**< addresses in the key `macs` */
	PORT_MACS_TEXT = PORT_MACS_MAX * 18, /**< bytes of that list */
	PORT_RESERVED_TEXT = 96,             /**< bytes of the list of reserved addresses */
	PORT_DRIVER_CONFIG_MAX = 640,
};

struct port_driver;

/** TPID of a port's VLAN tags. */
enum port_vlan_protocol { PORT_VLAN_8021Q, PORT_VLAN_8021AD };

/** Ports that a port may reach, as the modes of Linux macvlan of the same names. */
enum port_policy {
	PORT_BRIDGE,   /**< other ports by the FDB (VEB) */
	PORT_VEPA,     /**< all via the uplink, which reflects frames to other ports here */
	PORT_PRIVATE,  /**< the uplink only */
	PORT_PASSTHRU, /**< the uplink, which serves no other port */
};

/** Directions of frames that are mirrored. */
enum port_mirror { PORT_MIRROR_BOTH, PORT_MIRROR_RX, PORT_MIRROR_TX };

/** Snooping: whether a multicast router is behind a port. */
enum port_mcast_router {
	PORT_ROUTER_AUTO, /**< while the port receives queries or PIM hellos */
	PORT_ROUTER_ON,
	PORT_ROUTER_OFF, /**< never, whatever the port receives */
};

/** Configuration of a port; plain bytes, compared and copied as such. */
struct port_config {
	char name[PORT_NAME_MAX];
	const struct port_driver *driver;
	bool enabled;
	int64_t numa;                              /**< PORT_NUMA_AUTO or a node */
	int64_t mac_limit;                         /**< dynamic FDB entries, 0 = no limit */
	int64_t vlan;                              /**< access port of this VLAN; 0 = none */
	int64_t native;                            /**< trunk: VLAN of untagged frames; 0 = none */
	int64_t vlan_protocol;                     /**< enum port_vlan_protocol */
	char trunk[PORT_TRUNK_MAX];                /**< VLANs of tagged frames; "" = no trunk */
	int64_t policy;                            /**< enum port_policy */
	char uplink[PORT_NAME_MAX];                /**< the uplink of the policy; "" = none */
	bool learn;                                /**< learn source addresses */
	bool flood;                                /**< send unknown unicast to the port */
	bool mcast_flood;                          /**< send multicast to the port */
	bool isolated;                             /**< no frames to or from other isolated ports */
	char forward_reserved[PORT_RESERVED_TEXT]; /**< reserved addresses that pass; "" = none */
	int64_t rate_in;            /**< bits per second from the port, 0 = no limit */
	int64_t rate_out;           /**< bits per second to the port, 0 = no limit */
	int64_t burst_in;           /**< bytes, 0 = derived from rate_in */
	int64_t burst_out;          /**< bytes, 0 = derived from rate_out */
	int64_t queue_out;          /**< packet buffers for frames that wait for rate_out */
	char mirror[PORT_NAME_MAX]; /**< the port that copies are sent to; "" = none */
	int64_t mirror_direction;   /**< enum port_mirror */
	bool sticky;                /**< addresses learnt here do not move to other ports */
	char macs[PORT_MACS_TEXT];  /**< permitted source addresses; "" = any */
	int64_t storm;              /**< flooded frames per second; 0 = no limit */
	bool macs_arp;              /**< sender addresses of ARP and ND are limited to `macs` */
	bool fast_leave;      /**< snooping: one host behind the port, its leaves act at once */
	int64_t mcast_router; /**< snooping: enum port_mcast_router */
	_Alignas(8) char driver_config[PORT_DRIVER_CONFIG_MAX];
};

/** A type of port: its name, help and keys. */
struct port_type {
	const char *name;
	const char *help;
	const struct key *keys; /**< of driver_config, ended by a NULL name */

	/** Set the defaults of keys in a zeroed driver_config. */
	void (*defaults)(void *driver_config);
};

/** Keys of ports of every type; ended by a NULL name. */
extern const struct key port_common_keys[];

/** Set the defaults of port_common_keys in a zeroed configuration. */
void port_config_defaults(struct port_config *config);

#endif
