/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Burst functions of rings with a dirty log. Private to lib/vring.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_LOGGED_H
#define SHUNT_VRING_LOGGED_H

#include "vring/vring.h"

/**
 * virtq_push(), which reports buffers and used descriptors. Each frame is written in the way of
 * frames over several buffers.
 */
uint16_t virtq_logged_push(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result);

/** virtq_ops.pop_done, which reports used descriptors. */
void virtq_logged_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/**
 * Report what has been used since an index to the dirty log, if there is one: of a split ring the
 * used elements and the index, of a packed ring the descriptors.
 *
 * @param from `last_used` before; nothing is reported if it has not changed
 */
void virtq_logged_mark_used(const struct virtq *ring, uint16_t from);

#endif
