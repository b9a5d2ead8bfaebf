/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rx and tx of a session by the bursts of librte_vhost.
 *
 * Thread safety: polling lcores, except where noted.
 */
#ifndef SHUNT_DRIVERS_VHOST_LIBRARY_H
#define SHUNT_DRIVERS_VHOST_LIBRARY_H

#include <stdint.h>

#include "frame/frame.h"
#include "port/counters.h"

struct vhost_dev;
struct vhost_session;

/**
 * Receive frames that a guest sends. The polling lcore of the queue.
 *
 * @param queue queue pair
 * @param n up to FRAME_BURST
 * @return number of frames
 */
uint16_t vhost_library_rx(struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t queue, struct frame frames[], uint16_t n);

/**
 * Send frames to a guest; takes the caller's references. Any polling lcore.
 *
 * @param queue queue pair
 * @param counters of the port, updated
 */
void vhost_library_tx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/**
 * Journal the position of a ring whose frames the library moves. The lcore that moved
 * frames, or any thread while no lcore uses the ring.
 */
void vhost_library_journal(
	struct vhost_dev *dev, const struct vhost_session *session, uint16_t ring);

#endif
