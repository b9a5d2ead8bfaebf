/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings about multicast routers. Does not depend on DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_SNOOP_ROUTER_H
#define SHUNT_SNOOP_ROUTER_H

/** Whether a multicast router is behind a port. */
enum snoop_router {
	SNOOP_ROUTER_AUTO, /**< while the port receives queries or PIM hellos */
	SNOOP_ROUTER_ON,   /**< always */
	SNOOP_ROUTER_OFF,  /**< never; queries and hellos of the port are ignored */
};

#endif
