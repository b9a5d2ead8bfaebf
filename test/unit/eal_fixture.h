/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An EAL for tests: no hugepages, no devices, no files, one lcore, for any user; and one pool of
 * mbufs without caches, so that a missing mbuf is noticed.
 *
 * The functions with a state are fixtures of cmocka.
 *
 * Thread safety: main thread only; the pool itself is for any thread.
 */
#ifndef SHUNT_TEST_EAL_FIXTURE_H
#define SHUNT_TEST_EAL_FIXTURE_H

#include <rte_mbuf.h>

enum { EAL_POOL_MBUFS = 4095, EAL_POOL_SPACE = 2048 };

/** Start the EAL; the second call does nothing. @return 0 or negative errno */
int eal_fixture_start(void);

/** The pool; NULL before eal_fixture_start(). */
struct rte_mempool *eal_fixture_pool(void);

/** Fixtures of a group of tests: start the EAL, and stop it. */
int eal_group_setup(void **state);
int eal_group_teardown(void **state);

/** Teardown of one test: fails the test if mbufs are missing from the pool. */
int eal_test_setup(void **state);
int eal_test_teardown(void **state);

/** Take mbufs until n are left. @return a list for eal_fixture_feed() */
struct rte_mbuf *eal_fixture_starve(unsigned left);
void eal_fixture_feed(struct rte_mbuf *starved);

#define eal_unit_test(test) cmocka_unit_test_setup_teardown(test, eal_test_setup, eal_test_teardown)

#endif
