/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal_fixture.h"

#include <errno.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "lcore/topology.h"

static struct rte_mempool *pool;

int
eal_fixture_start(void)
{
	/* --no-shconf rather than --in-memory, which DPDK refuses beside --no-huge. */
	static char lcores[TOPOLOGY_LIST_MAX + 8];
	const char *argv[] = {"test", "--no-huge", "-m", "256", "--no-shconf", "--no-pci",
		"--no-telemetry", "--log-level=*:error", "--lcores", lcores, NULL};
	char list[TOPOLOGY_LIST_MAX];
	cpu_set_t allowed;

	if (pool != NULL)
		return 0;
	if (topology_allowed(&allowed) < 0)
		return -errno;
	/* The only lcore is not pinned to a CPU. */
	snprintf(lcores, sizeof(lcores), "0@(%s)", topology_format(&allowed, list));
	if (rte_eal_init(RTE_DIM(argv) - 1, (char **)(uintptr_t)argv) < 0)
		return -rte_errno;
	pool = rte_pktmbuf_pool_create(
		"test", EAL_POOL_MBUFS, 0, 0, EAL_POOL_SPACE + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	return pool != NULL ? 0 : -rte_errno;
}

struct rte_mempool *
eal_fixture_pool(void)
{
	return pool;
}

int
eal_group_setup(void **state)
{
	(void)state;
	return eal_fixture_start();
}

int
eal_group_teardown(void **state)
{
	(void)state;
	rte_mempool_free(pool);
	pool = NULL;
	return rte_eal_cleanup();
}

int
eal_test_setup(void **state)
{
	(void)state;
	return rte_mempool_full(pool) ? 0 : -1;
}

int
eal_test_teardown(void **state)
{
	unsigned missing = rte_mempool_in_use_count(pool);

	(void)state;
	if (missing > 0)
		fprintf(stderr, "%u mbufs were not given back\n", missing);
	return missing == 0 ? 0 : -1;
}

struct rte_mbuf *
eal_fixture_starve(unsigned left)
{
	struct rte_mbuf *starved = NULL;

	while (rte_mempool_avail_count(pool) > left) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
		mbuf->next = starved;
		starved = mbuf;
	}
	return starved;
}

void
eal_fixture_feed(struct rte_mbuf *starved)
{
	while (starved != NULL) {
		struct rte_mbuf *mbuf = starved;
		starved = mbuf->next;
		rte_pktmbuf_free_seg(mbuf);
	}
}
