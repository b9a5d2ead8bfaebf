/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Placement: assigns receive queues to polling lcores. A queue stays on the NUMA node of its port
 * if that node has a polling lcore; of the candidates the least loaded lcore gets the next queue.
 *
 * Thread safety: pure functions over memory of the caller.
 */
#ifndef SHUNT_LCORE_PLACEMENT_H
#define SHUNT_LCORE_PLACEMENT_H

#include <stdint.h>

enum { PLACEMENT_NONE = -1 };

/** A polling lcore. */
struct placement_lcore {
	int node;
	uint64_t load;   /**< out: sum of the loads of its queues */
	unsigned queues; /**< out: number of its queues */
};

/** A receive queue, and the lcore that polls it. */
struct placement_queue {
	int node;      /**< NUMA node of the port; negative = any */
	uint64_t load; /**< busy cycles in the last interval */
	int lcore;     /**< index into the lcores, or PLACEMENT_NONE */
};

/**
 * Assign an lcore to every queue that has none; other queues do not move.
 *
 * @param lcores at least one; load and queues are computed here
 * @param n_lcores number of lcores
 * @param queues those with PLACEMENT_NONE get an lcore
 * @param n_queues number of queues, 0 or more
 */
void placement_fill(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue queues[], unsigned n_queues);

/**
 * Assign all queues anew, the busiest first. Queues that have an lcore do not move unless the load
 * of the busiest lcore falls by at least a tenth, or fewer queues are away from the node of their
 * port, or fewer lcores have no queue.
 *
 * @param lcores at least one; load and queues are computed here
 * @param n_lcores number of lcores
 * @param queues their lcores are input and output
 * @param n_queues number of queues, 0 or more
 * @return number of queues whose lcore changed
 */
unsigned placement_balance(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue queues[], unsigned n_queues);

#endif
