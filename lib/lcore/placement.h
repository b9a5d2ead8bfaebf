/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placement: which polling lcore polls which receive queue. Queues stay on the NUMA node of their
 * port where that node has a polling lcore; within the candidates the least loaded gets the next
 * one.
 *
 * Thread safety: pure functions over what the caller owns.
 */
#ifndef SHUNT_LCORE_PLACEMENT_H
#define SHUNT_LCORE_PLACEMENT_H

#include <stdint.h>

enum { PLACEMENT_NONE = -1 };

struct placement_lcore {
	int node;
	uint64_t load;   /**< out: sum of the loads placed here */
	unsigned queues; /**< out: how many are placed here */
};

struct placement_queue {
	int node;      /**< NUMA node of the port; negative = any */
	uint64_t load; /**< busy cycles in the last interval */
	int lcore;     /**< index into the lcores, or PLACEMENT_NONE */
};

/**
 * Give every queue without an lcore one, and leave the others where they are.
 *
 * @param lcores at least one; load and queues are computed here
 */
void placement_fill(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue queues[], unsigned n_queues);

/**
 * Spread all queues anew, the busiest first. Nothing moves unless the busiest lcore gets at least
 * a tenth less to do, or a queue comes home to its node, or an lcore is without work.
 *
 * @return how many queues changed their lcore
 */
unsigned placement_balance(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue queues[], unsigned n_queues);

#endif
