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
 * virtq_push() of a ring with a dirty log: also reports buffers and used descriptors to it. Every
 * frame is written as one over several buffers.
 */
uint16_t virtq_logged_push(
	struct virtq *ring, struct frame *const frames[], uint16_t n, struct virtq_result *result);

/** virtq_ops.pop_done of a ring with a dirty log: also reports used descriptors to it. */
void virtq_logged_pop_done(struct virtq *ring, const struct virtq_batch *batch);

/**
 * Report the descriptors used since an index to the dirty log, if there is one: of a split ring the
 * used elements and the used index, of a packed ring the descriptors.
 *
 * @param from `last_used` before; nothing is reported if it has not changed
 */
void virtq_logged_mark_used(const struct virtq *ring, uint16_t from);

#endif
