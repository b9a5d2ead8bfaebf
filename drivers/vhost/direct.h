/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rx and tx of a session by lib/vring.
 *
 * Thread safety: polling lcores; the lcore of a queue receives, any lcore sends.
 */
#ifndef SHUNT_DRIVERS_VHOST_DIRECT_H
#define SHUNT_DRIVERS_VHOST_DIRECT_H

#include <stdint.h>

#include "frame/frame.h"
#include "port/counters.h"

struct vhost_dev;
struct vhost_lcore;
struct vhost_session;

/**
 * Receive frames that a guest sends. They stay in its buffers until vhost_rx_done().
 *
 * @param lcore state of the calling lcore
 * @param queue queue pair
 * @param n up to FRAME_BURST
 * @param counters of the port, updated
 * @return number of frames
 */
uint16_t vhost_direct_rx(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters);

/** Drop frames that a guest sends on a queue pair that its front end has disabled. */
void vhost_direct_discard(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct counters *counters);

/**
 * Send frames to a guest; takes the caller's references.
 *
 * @param lcore state of the calling lcore
 * @param queue queue pair
 * @param counters of the port, updated
 */
void vhost_direct_tx(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct frame *const frames[],
	uint16_t n, struct counters *counters);

#endif
