/* SPDX-License-Identifier: BSD-3-Clause */
/* Mbuf pools per NUMA node, with reservations. */
#include "lcore/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

/** A pool and its reservations. */
struct pool {
	struct rte_mempool *mbufs;
	int node;
	uint16_t payload;
	unsigned size;
	unsigned reserved;
	struct pool *next;
};

static struct pool *pool_list;

/** Create a mempool with a name of its own. @return NULL with rte_errno set */
static struct rte_mempool *
pool_alloc(int node, unsigned size, uint16_t payload)
{
	static unsigned number;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "shunt%u", number++);
	return rte_pktmbuf_pool_create(
		name, size, POOL_CACHE, 0, payload + RTE_PKTMBUF_HEADROOM, node);
}

/** Create a pool for at least `mbufs` mbufs. @return NULL with the reason */
static struct pool *
pool_grow(int node, unsigned mbufs, uint16_t payload, struct err *err)
{
	/* Mbufs in the cache of an lcore are not available to other lcores. */
	unsigned hidden = 3 * POOL_CACHE / 2 * (rte_lcore_count() + 8);
	unsigned size = RTE_MAX(payload > POOL_PAYLOAD ? 0 : POOL_CHUNK, mbufs + hidden);
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool != NULL)
		pool->mbufs = pool_alloc(node, size, payload);
	if (pool == NULL || pool->mbufs == NULL) {
		err_set(err, ENOMEM,
			"no memory for %u packet buffers on NUMA node %d (%s); give more hugepages",
			size, node, rte_strerror(rte_errno));
		free(pool);
		return NULL;
	}
	pool->node = node;
	pool->payload = payload;
	pool->size = size - RTE_MIN(hidden, size / 2);
	pool->next = pool_list;
	pool_list = pool;
	return pool;
}

struct rte_mempool *
pool_reserve(int node, unsigned mbufs, uint16_t payload, struct err *err)
{
	struct pool *pool = pool_list;

	while (pool != NULL && ((node >= 0 && pool->node != node) || pool->payload != payload ||
				       pool->size - pool->reserved < mbufs))
		pool = pool->next;
	if (pool == NULL)
		pool = pool_grow(node, mbufs, payload, err);
	if (pool == NULL)
		return NULL;
	pool->reserved += mbufs;
	return pool->mbufs;
}

void
pool_release(struct rte_mempool *mbufs, unsigned count)
{
	for (struct pool *pool = pool_list; pool != NULL; pool = pool->next)
		if (pool->mbufs == mbufs)
			pool->reserved -= RTE_MIN(count, pool->reserved);
}

void
pool_free_all(void)
{
	while (pool_list != NULL) {
		struct pool *pool = pool_list;
		pool_list = pool->next;
		rte_mempool_free(pool->mbufs);
		free(pool);
	}
}
