/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtio features offered to a front end.
 *
 * Thread safety: control opens a port; the library's event thread handles messages.
 */
#ifndef SHUNT_DRIVERS_VHOST_FEATURES_H
#define SHUNT_DRIVERS_VHOST_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/keys.h"

struct vhost_dev;

/** Mask of a virtio feature bit. */
#define VHOST_FEATURE(bit) (UINT64_C(1) << (bit))

/** @return features of the library that a port with these keys does not offer */
uint64_t vhost_features_off(const struct vhost_config *config);

/**
 * Select the features to offer to the connected front end. The library's event thread.
 *
 * @param features that the port offers
 * @return those that suit the front end
 */
uint64_t vhost_features_offer(const struct vhost_dev *dev, uint64_t features);

/**
 * Check whether features leave the control queue to this back end, which does not serve it. The
 * library's event thread.
 *
 * @param features acknowledged by SET_FEATURES
 * @return true if the driver would wait for the control queue
 */
bool vhost_features_need_control_queue(const struct vhost_dev *dev, uint64_t features);

#endif
