/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupt descriptors that the library may write to. Its write() waits where the descriptor's file
 * says so, so that it is given nothing but eventfds. What else a front end sends is replaced, under
 * the same number, while the library holds the rings' locks: no burst sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rte_vhost.h>

#include "vhost/vhost.h"
#include "vring/call.h"

enum { INTERRUPT_RING = 0xff }; /* of the number in SET_VRING_CALL */

/** /dev/null. Written by control before the first port, constant then. */
static int interrupt_nothing = -1;

int
vhost_interrupt_prepare(struct err *err)
{
	if (interrupt_nothing < 0)
		interrupt_nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return interrupt_nothing >= 0 ? 0 : err_set(err, errno, "/dev/null: %s", strerror(errno));
}

enum virtq_fault
vhost_interrupt_check(struct vhost_dev *dev, int vid, uint16_t ring)
{
	struct rte_vhost_vring vring;
	bool socket;

	if (rte_vhost_get_vhost_vring(vid, ring, &vring) < 0 || vring.callfd < 0)
		return VIRTQ_GOOD;
	if (dev->silenced[ring] != VIRTQ_GOOD)
		return dev->silenced[ring];
	enum virtq_fault fault = call_check(vring.callfd, &socket);
	if (fault == VIRTQ_GOOD && socket)
		fault = VIRTQ_CALL_LIBRARY;
	if (fault == VIRTQ_GOOD)
		return VIRTQ_GOOD;
	dup3(interrupt_nothing, vring.callfd, O_CLOEXEC);
	dev->silenced[ring] = fault;
	return fault;
}

void
vhost_interrupt_message(struct vhost_dev *dev, int vid, uint64_t number)
{
	uint16_t ring = number & INTERRUPT_RING;

	if (ring >= 2 * dev->queues)
		return;
	dev->silenced[ring] = VIRTQ_GOOD;
	if (dev->epoch == NULL || dev->epoch->direct)
		return;
	enum virtq_fault fault = vhost_interrupt_check(dev, vid, ring);
	if (fault != VIRTQ_GOOD)
		vhost_break(dev, fault);
}
