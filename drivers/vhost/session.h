/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vhost sessions: memory, rings and features between two messages of a front end.
 *
 * Thread safety: the library's event thread builds, ends and frees sessions, or control while
 * closing; polling lcores read the live one.
 */
#ifndef SHUNT_DRIVERS_VHOST_SESSION_H
#define SHUNT_DRIVERS_VHOST_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port.h"
#include "vring/vring.h"

struct vhost_dev;
struct vhost_mapping;

/**
 * A vhost session: memory, rings and features as they are between two messages of the front end.
 * Built and freed by the library's event thread; polling lcores read it while it is live, and are
 * meanwhile the only ones to advance its rings.
 */
struct vhost_session {
	struct vhost_session *next; /**< list of ended sessions whose memory devices still read */
	int vid;
	bool direct;                   /**< lib/vring moves frames of all rings, else the library */
	const char *reason;            /**< reason for the library path; NULL if direct */
	uint64_t features;             /**< negotiated */
	uint8_t capabilities;          /**< FRAME_* that the guest accepts */
	struct vhost_mapping *mapping; /**< NULL = neither direct nor packed */
	struct virtq *ring[2 * PORT_QUEUES_MAX]; /**< in virtio's numbering; NULL = not set up */
};

/** Build a session from the present setup and make it live. Breaks the port if that fails. */
void vhost_session_start(struct vhost_dev *dev, int vid);

/**
 * End the session and pass ring positions to the library. Waits for polling lcores, and up to
 * 100 ms for in-flight zero-copy frames. May be called twice.
 */
void vhost_session_stop(struct vhost_dev *dev);

/** Free ended sessions whose memory no device reads any more. Any thread but a polling lcore. */
void vhost_session_reap(void);

#endif
