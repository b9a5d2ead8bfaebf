/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mbuf pools per NUMA node, sized by the ports: a port reserves as many mbufs as its queues can
 * hold, and a node gets another pool when its pools are fully reserved. Pools are kept until the
 * process ends, because mbufs of a removed port may still be in the ring of another port.
 *
 * Thread safety: control thread only; the pools themselves are for any thread.
 */
#ifndef SHUNT_LCORE_POOL_H
#define SHUNT_LCORE_POOL_H

#include <stdint.h>

#include "base/err.h"

struct rte_mempool;

enum {
	POOL_CHUNK = 16384,  /**< least number of mbufs of a pool with POOL_PAYLOAD */
	POOL_CACHE = 256,    /**< size of the mempool cache of an lcore */
	POOL_PAYLOAD = 2048, /**< bytes of payload of an ordinary mbuf */
	POOL_JUMBO = 16384,  /**< the same for devices without scattered buffers */
};

/**
 * Reserve mbufs on a node.
 *
 * @param node NUMA node, or negative for any
 * @param mbufs number that the port can hold at once
 * @param payload bytes of each: POOL_PAYLOAD or POOL_JUMBO
 * @return a pool with space for them; NULL with the reason in err
 */
struct rte_mempool *pool_reserve(int node, unsigned mbufs, uint16_t payload, struct err *err);

/** Release a reservation. @param mbufs from pool_reserve() @param count as given there */
void pool_release(struct rte_mempool *mbufs, unsigned count);

/** Free all pools; no mbuf may be in use any more. */
void pool_free_all(void);

#endif
