/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A shaper: frames for a port leave as its rate allows; those that are early wait in a queue, in
 * order. While nothing waits and there are tokens, frames pass as they are.
 *
 * What waits is a copy in mbufs that the shaper has reserved, so that a slow port ties up neither a
 * guest's buffers nor those that a device receives into.
 *
 * Thread safety: polling lcores, one at a time by the meter's lock. One of them, the owner, sends; what
 * others have goes through the queue, so that no frame overtakes another on its way there or in the
 * device. Made, emptied and freed by control, while no snapshot
 * knows it. shaper_held() by any thread.
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
	SHAPER_BURSTS = 8, /**< sent from the queue at once, at most */
};

struct shaper;

/** Where frames leave: a driver, and the polling lcore that calls it. */
struct shaper_out {
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	uint16_t lcore_id;
	bool owner; /**< this lcore may send */
};

/**
 * @param node NUMA node, or negative for any
 * @param space mbufs that frames may wait in, SHAPER_SPACE_MIN to SHAPER_SPACE_MAX; a frame takes one
 *        for every 2 KB begun
 * @param lcores see struct meter
 * @return NULL with the reason in err
 */
struct shaper *shaper_create(int node, unsigned space, const atomic_uint *lcores, struct err *err);

/** Free an empty one. NULL is fine. */
void shaper_destroy(struct shaper *shaper);

/** The space it was made with. */
unsigned shaper_space(const struct shaper *shaper);

/** How many frames wait. */
unsigned shaper_held(const struct shaper *shaper);

/**
 * Send frames, or have them wait. Takes one reference of each; counts those that are dropped, and
 * the driver those that are sent.
 *
 * @param n up to FRAME_BURST
 * @param now TSC
 */
void shaper_frames(struct shaper *shaper, const struct bucket_rate *rate,
	const struct shaper_out *out, struct frame *const frames[], uint16_t n,
	struct counters *counters, uint64_t now);

/** The owner: send what waits and is due, SHAPER_BURSTS at most. @return was there any? */
bool shaper_drain(struct shaper *shaper, const struct bucket_rate *rate,
	const struct shaper_out *out, struct counters *counters, uint64_t now);

/** Free what waits. Control. @return how many frames */
unsigned shaper_purge(struct shaper *shaper);

#endif
