/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mbuf pools per NUMA node, sized from the ports: a port reserves what its queues can hold, and a
 * node gets another pool when its pools are spoken for. Pools live until the process ends, because
 * an mbuf may still sit in the ring of another port when its own port goes.
 *
 * Thread safety: control thread only; the pools themselves are for any thread.
 */
#ifndef SHUNT_LCORE_POOL_H
#define SHUNT_LCORE_POOL_H

#include <stdint.h>

#include "base/err.h"

struct rte_mempool;

enum {
	POOL_CHUNK = 16384,  /**< mbufs of the smallest pool of usual ones */
	POOL_CACHE = 256,    /**< mbufs a polling lcore may keep to itself */
	POOL_PAYLOAD = 2048, /**< bytes of payload in a usual mbuf */
	POOL_JUMBO = 16384,  /**< for devices that take long frames in one piece only */
};

/**
 * Reserve mbufs on a node.
 *
 * @param node NUMA node, or negative for any
 * @param mbufs how many the port can hold at once
 * @param payload bytes of each: POOL_PAYLOAD or POOL_JUMBO
 * @return a pool with space for them; NULL with the reason in err
 */
struct rte_mempool *pool_reserve(int node, unsigned mbufs, uint16_t payload, struct err *err);

/** Give a reservation back: what pool_reserve() returned, and as many. */
void pool_release(struct rte_mempool *mbufs, unsigned count);

/** Free every pool; only when nothing holds an mbuf any more. */
void pool_free_all(void);

#endif
