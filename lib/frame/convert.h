/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversion of frames in guest memory to mbufs, for ports that send only mbufs.
 *
 * Thread safety: polling lcores, each on its own frames.
 */
#ifndef SHUNT_FRAME_CONVERT_H
#define SHUNT_FRAME_CONVERT_H

#include "frame/frame.h"

struct tx_completions;

/**
 * Copy a frame into a chain of mbufs and set the mbuf's offload fields from the frame's request.
 * The head is copied from host memory, so that the bytes sent are the bytes that were classified.
 *
 * @return the chain, owned by the caller; NULL if the pool is empty
 */
struct rte_mbuf *convert_to_mbuf(const struct frame *frame, struct rte_mempool *pool);

/**
 * The same into an mbuf that the caller has allocated.
 *
 * @param mbuf empty; the caller's reference is taken
 * @param pool where further mbufs of the chain come from
 * @return the chain, which begins with `mbuf`; NULL if the pool is empty
 */
struct rte_mbuf *convert_into_mbuf(
	const struct frame *frame, struct rte_mbuf *mbuf, struct rte_mempool *pool);

/**
 * The same with zero copy of the payload: mbufs are attached to guest memory, which stays in flight
 * until the last of them is freed, or, with tx completions, until the device has read it.
 *
 * @param frame with `inflight` set
 * @param completions of the calling lcore and the device; NULL = the device frees mbufs as soon as
 *        it has read them
 * @return the chain, owned by the caller; NULL if the frame cannot be sent with zero copy now, or
 *         the pool is empty
 */
struct rte_mbuf *convert_zero_copy(
	const struct frame *frame, struct rte_mempool *pool, struct tx_completions *completions);

#endif
