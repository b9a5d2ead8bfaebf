/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Selects the virtio features offered to a front end.
 *
 * QEMU and similar front ends have a device model: they serve the control queue and the
 * configuration space themselves, and acknowledge only the features that concern the back end.
 * User-mode-linux has none: it passes all offered features to its driver. That driver would wait
 * for ever for a control queue that is not served, and would read an MTU that was never written.
 *
 * The two differ in their first messages: QEMU sends GET_FEATURES before SET_OWNER, user-mode-linux
 * after it. Some front ends with a device model begin with SET_OWNER (virtio-user, Cloud
 * Hypervisor). They need the control features from the back end only for several queue pairs, and
 * the MTU feature only where the port has an MTU.
 */
#include "vhost/features.h"

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vhost/device.h"
#include "vhost/keys.h"

enum { FEATURES_PROTOCOL_MQ = 0 }; /* VHOST_USER_PROTOCOL_F_MQ */

uint64_t
vhost_features_off(const struct vhost_config *config)
{
	/* The library's conversion to mbufs loses UFO and the ECN variant of TSO. */
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
	if (!dev->set_owner_first)
		return features;
	if (dev->config.mtu == 0)
		features &= ~VHOST_FEATURE(VIRTIO_NET_F_MTU);
	/* CTRL_RX and GUEST_ANNOUNCE depend on CTRL_VQ (virtio 1.2 section 5.1.3.1). */
	if (dev->queues == 1)
		features &= ~(VHOST_FEATURE(VIRTIO_NET_F_CTRL_VQ) |
			      VHOST_FEATURE(VIRTIO_NET_F_CTRL_RX) |
			      VHOST_FEATURE(VIRTIO_NET_F_GUEST_ANNOUNCE));
	return features;
}

bool
vhost_features_need_control_queue(const struct vhost_dev *dev, uint64_t features)
{
	return dev->set_owner_first && (features & VHOST_FEATURE(VIRTIO_NET_F_CTRL_VQ)) != 0 &&
	       (dev->protocol & VHOST_FEATURE(FEATURES_PROTOCOL_MQ)) == 0;
}
