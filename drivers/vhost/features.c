/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which virtio features a front end is offered.
 *
 * QEMU and the like have a device model: they serve the control queue and the configuration space
 * themselves, and acknowledge to the back end the features that are its affair. User-mode-linux has
 * none: it hands its driver all that is offered. Such a driver would wait for ever for a control queue
 * that nothing serves, and would read an MTU that nothing wrote.
 *
 * The two differ in their first messages: QEMU asks for features before it sends SET_OWNER,
 * user-mode-linux after it. Front ends with a device model that begin with SET_OWNER (virtio-user,
 * Cloud Hypervisor) need the control features from the back end for several queue pairs only, and the
 * MTU where the port has one.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vhost/vhost.h"

enum { FEATURES_PROTOCOL_MQ = 0 }; /* VHOST_USER_PROTOCOL_F_MQ */

uint64_t
vhost_features_off(const struct vhost_config *config)
{
	/* Neither UFO nor the ECN variant of TSO survive the library's way through an mbuf. */
	uint64_t off = VHOST_FEATURE(VIRTIO_NET_F_HOST_UFO) |
		       VHOST_FEATURE(VIRTIO_NET_F_GUEST_UFO) |
		       VHOST_FEATURE(VIRTIO_NET_F_HOST_ECN) |
		       VHOST_FEATURE(VIRTIO_NET_F_GUEST_ECN) | VHOST_FEATURE(VIRTIO_NET_F_GSO);

	if (!config->tso || !config->csum)
		off |= VHOST_FEATURE(VIRTIO_NET_F_HOST_TSO4) |
		       VHOST_FEATURE(VIRTIO_NET_F_HOST_TSO6) |
		       VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO4) |
		       VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO6);
	if (!config->csum)
		off |= VHOST_FEATURE(VIRTIO_NET_F_CSUM) | VHOST_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	if (!config->packed)
		off |= VHOST_FEATURE(VIRTIO_F_RING_PACKED);
	if (config->queues == 1)
		off |= VHOST_FEATURE(VIRTIO_NET_F_MQ);
	return off;
}

uint64_t
vhost_features_offer(const struct vhost_dev *dev, uint64_t features)
{
	if (!dev->owner_first)
		return features;
	if (dev->config.mtu == 0)
		features &= ~VHOST_FEATURE(VIRTIO_NET_F_MTU);
	/* The others depend on the first (virtio 1.2 section 5.1.3.1). */
	if (dev->queues == 1)
		features &= ~(VHOST_FEATURE(VIRTIO_NET_F_CTRL_VQ) |
			      VHOST_FEATURE(VIRTIO_NET_F_CTRL_RX) |
			      VHOST_FEATURE(VIRTIO_NET_F_GUEST_ANNOUNCE));
	return features;
}

bool
vhost_features_unserved(const struct vhost_dev *dev, uint64_t features)
{
	return dev->owner_first && (features & VHOST_FEATURE(VIRTIO_NET_F_CTRL_VQ)) != 0 &&
	       (dev->protocol & VHOST_FEATURE(FEATURES_PROTOCOL_MQ)) == 0;
}
