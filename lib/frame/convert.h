/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in guest memory made into mbufs, for receivers that take nothing else.
 *
 * Thread safety: polling lcores, each on frames of its own.
 */
#ifndef SHUNT_FRAME_CONVERT_H
#define SHUNT_FRAME_CONVERT_H

#include "frame/frame.h"

struct loans;

/**
 * Copy a frame into a chain of mbufs, with its offload request in the mbuf's words. The bytes that
 * were classified come from the frame's own copy.
 *
 * @return the chain, which the caller owns, or NULL when the pool is empty
 */
struct rte_mbuf *convert_to_mbuf(const struct frame *frame, struct rte_mempool *pool);

/**
 * The same without a copy of what was not classified: mbufs that point to guest memory, which is
 * held until the last of them is freed, or, when it is lent, until its device has read it.
 *
 * @param loans of the device that it is lent to; NULL = it frees mbufs when it has read them
 * @return the chain, which the caller owns; NULL when the frame cannot be held now, or the pool is
 *         empty
 */
struct rte_mbuf *convert_to_held(
	const struct frame *frame, struct rte_mempool *pool, struct loans *loans);

#endif
