/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of messages from a polling lcore to control: copies, in a ring of fixed size. The lcore
 * never waits: what does not fit is counted, and between two looks of control no port gets more
 * than its share, so that one that talks without end does not silence the others.
 *
 * Thread safety: one polling lcore pushes, the control thread pops.
 */
#ifndef SHUNT_SNOOP_RING_H
#define SHUNT_SNOOP_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/port.h"

enum {
	SNOOP_RING_SLOTS = 128,
	SNOOP_RING_SHARE = 32,   /**< slots of one port between two looks */
	SNOOP_PACKET_MAX = 2040, /**< bytes of a message; none that fits a usual MTU is longer */
};

/** A message as it came, from the IP header on. */
struct snoop_copy {
	uint16_t port;
	uint16_t vlan;
	uint16_t len;
	bool ipv6;
	uint8_t bytes[SNOOP_PACKET_MAX];
};

/** Slots that a port took since control last looked. */
struct snoop_share {
	uint32_t since; /**< where the consumer was */
	uint32_t taken;
};

struct snoop_ring {
	/* Written by the polling lcore; head and lost are read by control. */
	_Alignas(64) _Atomic uint32_t head;
	_Atomic uint64_t lost;
	struct snoop_share share[PORT_MAX];
	/* Written by control, read by the polling lcore. */
	_Alignas(64) _Atomic uint32_t tail;
	_Alignas(64) struct snoop_copy slot[SNOOP_RING_SLOTS];
};

/** @return NULL when there is no memory */
struct snoop_ring *snoop_ring_create(void);
void snoop_ring_destroy(struct snoop_ring *ring);

/** The lcore: space for a message of a port, to be filled and pushed. @return NULL: lost, counted */
struct snoop_copy *snoop_ring_space(struct snoop_ring *ring, uint16_t port);

/** The lcore: show control what was put into the space. */
void snoop_ring_push(struct snoop_ring *ring);

/** Control: the oldest message; NULL when there is none. */
const struct snoop_copy *snoop_ring_front(struct snoop_ring *ring);

/** Control: done with the oldest message. */
void snoop_ring_pop(struct snoop_ring *ring);

#endif
