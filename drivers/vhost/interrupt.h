/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of guests whose frames librte_vhost moves: its callfd is replaced by a relay.
 *
 * Thread safety: the library's event thread, except where noted.
 */
#ifndef SHUNT_DRIVERS_VHOST_INTERRUPT_H
#define SHUNT_DRIVERS_VHOST_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vring/call_relay.h"
#include "vring/fault.h"

struct vhost_dev;

/** Relay for the interrupts of a ring whose frames the library moves. */
struct vhost_relay {
	/* Only used by the library's event thread. */
	bool installed;         /**< the library's callfd is the relay's */
	enum virtq_fault fault; /**< of the descriptor that the front end gave */
	/* Written by the event thread, read by polling lcores. Open until the connection ends. */
	struct call_relay signals; /**< the callfd that the library writes to */
	atomic_int callfd[2]; /**< from the front end: an eventfd, a Unix socket; negative = none */
	atomic_bool socket;   /**< index in `callfd` of the one in use */
};

/** Initialise the relays, before the port is connected. Control thread. */
void vhost_interrupt_init(struct vhost_dev *dev);

/**
 * Replace the callfd that the library got from the front end for a ring by a relay. Called
 * while the library holds the rings' locks, or while no lcore uses the rings.
 *
 * @return VIRTQ_GOOD, or the fault: the descriptor cannot be used to interrupt the guest
 */
enum virtq_fault vhost_interrupt_relay(struct vhost_dev *dev, int vid, uint16_t ring);

/**
 * Duplicate the callfd that the front end gave for a ring.
 *
 * @param fd the callfd that the library has for the ring
 * @return a descriptor that the caller closes; negative if there is none
 */
int vhost_interrupt_dup(const struct vhost_dev *dev, uint16_t ring, int fd);

/**
 * Relay the new callfd after SET_VRING_CALL, while the library holds the rings' locks.
 *
 * @param number payload of the message
 */
void vhost_interrupt_callfd_changed(struct vhost_dev *dev, int vid, uint64_t number);

/**
 * Interrupt the guest if the library signalled the relay in its last burst. Polling lcores; never
 * waits.
 */
void vhost_interrupt_forward(struct vhost_dev *dev, uint16_t ring);

/** Close all relays: the connection has ended, and no lcore uses its rings. */
void vhost_interrupt_close(struct vhost_dev *dev);

#endif
