/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relays interrupts of guests whose frames the library moves. The library writes to the callfd
 * itself, and would block if the front end makes it block. So a relay (vring/call_relay.h) replaces
 * its callfd, under the same number and while the library holds the rings' locks. After a burst the
 * polling lcore checks whether the library wrote to the relay, and interrupts the guest by
 * vring/call.h.
 */
#include "vhost/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vhost.h>

#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/session.h"
#include "vring/call.h"

enum { INTERRUPT_RING = 0xff }; /* bits of the ring number in SET_VRING_CALL */

/** Replace a callfd by a duplicate, under the same number, which lcores may use. @return success */
static bool
interrupt_replace_callfd(atomic_int *slot, int fd)
{
	int number = atomic_load(slot);

	if (number >= 0)
		return dup3(fd, number, O_CLOEXEC) >= 0;
	number = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	atomic_store(slot, number);
	return number >= 0;
}

enum virtq_fault
vhost_interrupt_relay(struct vhost_dev *dev, int vid, uint16_t ring)
{
	struct vhost_relay *relay = &dev->relay[ring];
	struct rte_vhost_vring vring;
	bool socket;

	if (rte_vhost_get_vhost_vring(vid, ring, &vring) < 0 || vring.callfd < 0)
		return VIRTQ_GOOD;
	if (relay->installed)
		return relay->fault;
	relay->fault = call_check(vring.callfd, &socket);
	if (relay->fault == VIRTQ_GOOD &&
		!interrupt_replace_callfd(&relay->callfd[socket], vring.callfd))
		relay->fault = VIRTQ_CALL_NO_FD;
	if (call_relay_open(&relay->signals) < 0 ||
		dup3(relay->signals.fd, vring.callfd, O_CLOEXEC) < 0)
		return VIRTQ_CALL_NO_FD;
	relay->installed = true;
	atomic_store(&relay->socket, socket);
	/* An lcore may have interrupted through the previous descriptor a moment ago. */
	if (relay->fault == VIRTQ_GOOD)
		call_send(atomic_load(&relay->callfd[socket]), socket);
	return relay->fault;
}

int
vhost_interrupt_dup(const struct vhost_dev *dev, uint16_t ring, int fd)
{
	const struct vhost_relay *relay = &dev->relay[ring];

	if (fd >= 0 && relay->installed)
		fd = atomic_load(&relay->callfd[atomic_load(&relay->socket)]);
	return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
}

void
vhost_interrupt_callfd_changed(struct vhost_dev *dev, int vid, uint64_t number)
{
	uint16_t ring = number & INTERRUPT_RING;

	if (ring >= 2 * dev->queues)
		return;
	dev->relay[ring].installed = false;
	if (dev->session == NULL || dev->session->direct)
		return;
	enum virtq_fault fault = vhost_interrupt_relay(dev, vid, ring);
	if (fault != VIRTQ_GOOD)
		vhost_fault_set(dev, fault, ring);
}

void
vhost_interrupt_forward(struct vhost_dev *dev, uint16_t ring)
{
	struct vhost_relay *relay = &dev->relay[ring];

	if (!call_relay_read(&relay->signals))
		return;
	bool socket = atomic_load_explicit(&relay->socket, memory_order_acquire);
	call_send(atomic_load_explicit(&relay->callfd[socket], memory_order_relaxed), socket);
}

void
vhost_interrupt_init(struct vhost_dev *dev)
{
	for (unsigned i = 0; i < RTE_DIM(dev->relay); i++) {
		atomic_store(&dev->relay[i].callfd[0], -1);
		atomic_store(&dev->relay[i].callfd[1], -1);
	}
}

/** Close a callfd, if there is one. */
static void
interrupt_close(atomic_int *slot)
{
	int fd = atomic_exchange(slot, -1);

	if (fd >= 0)
		close(fd);
}

void
vhost_interrupt_close(struct vhost_dev *dev)
{
	for (unsigned i = 0; i < RTE_DIM(dev->relay); i++) {
		struct vhost_relay *relay = &dev->relay[i];

		relay->installed = false;
		relay->fault = VIRTQ_GOOD;
		call_relay_close(&relay->signals);
		interrupt_close(&relay->callfd[0]);
		interrupt_close(&relay->callfd[1]);
	}
}
