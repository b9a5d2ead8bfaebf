/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions at which rings resume: SET_VRING_BASE and GET_VRING_BASE.
 *
 * Thread safety: the library's event thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_BASE_H
#define SHUNT_DRIVERS_VHOST_BASE_H

#include <stdint.h>

#include "vring/fault.h"

struct vhost_dev;
struct vhost_message;
struct vhost_session;
struct virtq_setup;

/** Origin of the ring position that the library has. */
enum vhost_base {
	VHOST_BASE_GIVEN,    /**< given by the front end, possibly not reported by any back end */
	VHOST_BASE_REPORTED, /**< reported to the front end by GET_VRING_BASE on this connection */
	VHOST_BASE_SESSION,  /**< reached by the last session */
};

/** Reset for a new connection: the front end gives the positions of rings. */
void vhost_base_reset(struct vhost_dev *dev);

/** Record, before a message is handled, whether it sets or gets a ring's position. */
void vhost_base_message(struct vhost_dev *dev, const struct vhost_message *message);

/**
 * Correct the position at which a ring resumes, and begin or continue its journal.
 *
 * @param session has the memory mapped
 * @param setup valid, with the position that the library has
 * @return VIRTQ_GOOD; VIRTQ_BAD_BASE
 */
enum virtq_fault vhost_base_resume(struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t number, struct virtq_setup *setup);

#endif
