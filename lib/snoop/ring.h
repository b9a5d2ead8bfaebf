/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passes copies of messages from a polling lcore to the control thread, in a ring of fixed size.
 * The lcore never waits: messages that do not fit are counted. Until the control thread pops a
 * message, a port gets no more than its share of slots, so that a flood of messages of one port
 * does not displace those of other ports.
 *
 * Thread safety: one polling lcore pushes, the control thread pops.
 */
#ifndef SHUNT_SNOOP_RING_H
#define SHUNT_SNOOP_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/spsc.h"
#include "port/port.h"

enum {
	SNOOP_RING_SLOTS = 128,
	SNOOP_RING_SHARE = 32,   /**< slots that a port may take between two pops */
	SNOOP_PACKET_MAX = 2040, /**< bytes of a message; enough for ordinary MTUs */
};

/** A message as received, from the IP header on. */
struct snoop_copy {
	uint16_t port;
	uint16_t vlan;
	uint16_t len;
	bool ipv6;
	uint8_t bytes[SNOOP_PACKET_MAX];
};

/** Slots that a port has taken since the tail last moved. */
struct snoop_share {
	uint32_t since; /**< tail at that time */
	uint32_t taken;
};

/** The ring of one lcore. */
struct snoop_ring {
	struct spsc spsc;
	_Alignas(64) struct snoop_share share[PORT_MAX]; /**< written by the polling lcore */
	_Alignas(64) struct snoop_copy slot[SNOOP_RING_SLOTS];
};

/** Create a ring. @return NULL without memory */
struct snoop_ring *snoop_ring_create(void);

/** Free a ring that no polling lcore uses any more; NULL is ignored. */
void snoop_ring_destroy(struct snoop_ring *ring);

/**
 * Polling lcore: get space for a message of a port.
 *
 * @param port id of the rx port, below PORT_MAX
 * @return NULL if there is no space, counted as lost
 */
struct snoop_copy *snoop_ring_space(struct snoop_ring *ring, uint16_t port);

/** Polling lcore: publish the message in the space of the latest snoop_ring_space(). */
void snoop_ring_push(struct snoop_ring *ring);

/** Control thread: get the oldest message, valid until it is popped. @return NULL if none */
const struct snoop_copy *snoop_ring_front(struct snoop_ring *ring);

/** Control thread: free the slot of the oldest message. */
void snoop_ring_pop(struct snoop_ring *ring);

#endif
