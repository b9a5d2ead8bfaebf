/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guests' rings for programs that run guests and switch in one thread: the switch sees them as in
 * real use, and all data are in the nearest caches.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_TEST_PERF_RINGS_H
#define SHUNT_TEST_PERF_RINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "vring/vring.h"

enum {
	RINGS_SIZE = 256,
	RINGS_IN_USE = 64,         /**< buffers in rotation, few enough for the caches */
	RINGS_BUFFER = 2048 + 128, /**< spread over the sets of a cache */
	RINGS_HEADER = 12,
};

/** A guest's ring, and the device's side of it. */
struct side {
	struct vring_desc desc[RINGS_SIZE];
	struct vring_avail *avail;
	struct vring_used *used;
	uint8_t buffer[RINGS_IN_USE][RINGS_BUFFER] __attribute__((aligned(64)));
	struct virtq ring;
};

/** Allocate memory for rings. @return false: there is none */
bool rings_open(void);

/** @param flags of the descriptors: 0 for frames that a guest sends, else VRING_DESC_F_WRITE */
struct side *rings_make(uint16_t flags);

/** Frames of a size (with their check sequence) to send, zeros behind an Ethernet header. */
void rings_fill(struct side *side, uint32_t size, const uint8_t ethernet[14]);

/** Make a burst of buffers available to the device. */
void rings_offer(struct side *side);

/** The cycles that reading the clock costs, to be subtracted from measured ones. */
uint64_t rings_clock_cost(void);

/** For qsort() of doubles. */
int rings_compare(const void *a, const void *b);

#endif
