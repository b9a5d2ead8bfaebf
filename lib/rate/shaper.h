/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A shaper sends the frames for a port at its rate; frames beyond it wait in a queue, in order.
 * While the queue is empty and there are tokens, frames are sent without a copy.
 *
 * Frames wait as copies in mbufs that the shaper has reserved, so that a slow port occupies neither
 * buffers of guests nor those that a device receives into.
 *
 * Thread safety: polling lcores, one at a time by the meter's lock. One of them, the owner, sends.
 * Frames of other lcores go through the queue, so that no frame overtakes another on its way there
 * or in the device. Created, purged and freed by the control thread while no snapshot refers to it.
 * shaper_backlog() by any thread.
 */
#ifndef SHUNT_RATE_SHAPER_H
#define SHUNT_RATE_SHAPER_H

#include "base/err.h"
#include "frame/frame.h"
#include "port/counters.h"
#include "rate/meter.h"

enum {
	SHAPER_SPACE_MIN = 64,
	SHAPER_SPACE_MAX = 65536,
	SHAPER_BURSTS = 8, /**< bursts that one call sends from the queue, at most */
};

struct shaper;

/** The driver that frames are sent to, and the polling lcore that calls it. */
struct shaper_out {
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	uint16_t lcore_id;
	bool owner; /**< this lcore is the owner, which sends */
};

/**
 * Create a shaper and reserve its mbufs.
 *
 * @param node NUMA node, or negative for any
 * @param space mbufs for frames that wait, SHAPER_SPACE_MIN to SHAPER_SPACE_MAX; a frame takes one
 *        per started 2 KB
 * @param lcores see struct meter
 * @return NULL with the reason in err
 */
struct shaper *shaper_create(int node, unsigned space, const atomic_uint *lcores, struct err *err);

/** Free an empty shaper; NULL is ignored. */
void shaper_destroy(struct shaper *shaper);

/** @return the NUMA node given to shaper_create() */
int shaper_node(const struct shaper *shaper);

/** @return the space in mbufs, as given to shaper_create() */
unsigned shaper_space(const struct shaper *shaper);

/** @return the number of frames that wait */
unsigned shaper_backlog(const struct shaper *shaper);

/**
 * Send or queue frames. Takes one reference of each. Counts the frames that it drops; the driver
 * counts those that it sends or drops.
 *
 * @param frames read-only; copied where they wait
 * @param n up to FRAME_BURST
 * @param now TSC
 */
void shaper_frames(struct shaper *shaper, const struct bucket_rate *rate,
	const struct shaper_out *out, struct frame *const frames[], uint16_t n,
	struct counters *counters, uint64_t now);

/**
 * Owner: send frames of the queue while there are tokens, SHAPER_BURSTS bursts at most.
 *
 * @param now TSC
 * @return whether any frame was sent
 */
bool shaper_drain(struct shaper *shaper, const struct bucket_rate *rate,
	const struct shaper_out *out, struct counters *counters, uint64_t now);

/** Free the frames in the queue. Control thread. @return number of frames */
unsigned shaper_purge(struct shaper *shaper);

#endif
