/* SPDX-License-Identifier: BSD-3-Clause */
/* Assigns receive queues to polling lcores. */
#include "lcore/placement.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** @return true if a node has a polling lcore */
static bool
placement_has_node(const struct placement_lcore lcores[], unsigned n_lcores, int node)
{
	for (unsigned i = 0; i < n_lcores; i++)
		if (lcores[i].node == node)
			return true;
	return false;
}

/** @return the least loaded lcore of a node, or of all lcores if the node has none */
static int
placement_least_loaded(const struct placement_lcore lcores[], unsigned n_lcores, int node)
{
	bool local = placement_has_node(lcores, n_lcores, node);
	int best = PLACEMENT_NONE;

	for (unsigned i = 0; i < n_lcores; i++) {
		if (local && lcores[i].node != node)
			continue;
		if (best == PLACEMENT_NONE || lcores[i].load < lcores[best].load ||
			(lcores[i].load == lcores[best].load &&
				lcores[i].queues < lcores[best].queues))
			best = (int)i;
	}
	return best;
}

/** Assign a queue to an lcore. */
static void
placement_assign_one(struct placement_lcore lcores[], struct placement_queue *queue, int lcore)
{
	queue->lcore = lcore;
	lcores[lcore].load += queue->load;
	lcores[lcore].queues++;
}

/** Set load and number of queues of each lcore. */
static void
placement_sum_loads(struct placement_lcore lcores[], unsigned n_lcores,
	const struct placement_queue queues[], unsigned n_queues)
{
	for (unsigned i = 0; i < n_lcores; i++)
		lcores[i].load = lcores[i].queues = 0;
	for (unsigned i = 0; i < n_queues; i++) {
		if (queues[i].lcore == PLACEMENT_NONE)
			continue;
		lcores[queues[i].lcore].load += queues[i].load;
		lcores[queues[i].lcore].queues++;
	}
}

void
placement_fill(struct placement_lcore lcores[], unsigned n_lcores, struct placement_queue queues[],
	unsigned n_queues)
{
	placement_sum_loads(lcores, n_lcores, queues, n_queues);
	for (unsigned i = 0; i < n_queues; i++)
		if (queues[i].lcore == PLACEMENT_NONE)
			placement_assign_one(lcores, &queues[i],
				placement_least_loaded(lcores, n_lcores, queues[i].node));
}

/** qsort() order: the highest load first. */
static int
placement_compare(const void *a, const void *b)
{
	const struct placement_queue *const *one = a, *const *other = b;

	if ((*one)->load != (*other)->load)
		return (*one)->load < (*other)->load ? 1 : -1;
	return *one < *other ? -1 : 1;
}

/** @return load of the busiest lcore */
static uint64_t
placement_peak(const struct placement_lcore lcores[], unsigned n_lcores)
{
	uint64_t peak = 0;

	for (unsigned i = 0; i < n_lcores; i++)
		peak = lcores[i].load > peak ? lcores[i].load : peak;
	return peak;
}

/** @return number of lcores without a queue */
static unsigned
placement_count_idle(const struct placement_lcore lcores[], unsigned n_lcores)
{
	unsigned idle = 0;

	for (unsigned i = 0; i < n_lcores; i++)
		idle += lcores[i].queues == 0;
	return idle;
}

/** @return number of queues away from the node of their port, though that has a polling lcore */
static unsigned
placement_count_remote(const struct placement_lcore lcores[], unsigned n_lcores,
	const struct placement_queue queues[], unsigned n_queues)
{
	unsigned remote = 0;

	for (unsigned i = 0; i < n_queues; i++)
		remote += queues[i].lcore != PLACEMENT_NONE &&
			  lcores[queues[i].lcore].node != queues[i].node &&
			  placement_has_node(lcores, n_lcores, queues[i].node);
	return remote;
}

/** Assign all queues in order, each to the least loaded lcore. */
static void
placement_assign_all(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue *order[], unsigned n_queues)
{
	for (unsigned i = 0; i < n_queues; i++)
		placement_assign_one(
			lcores, order[i], placement_least_loaded(lcores, n_lcores, order[i]->node));
}

unsigned
placement_balance(struct placement_lcore lcores[], unsigned n_lcores,
	struct placement_queue queues[], unsigned n_queues)
{
	struct placement_queue **order = calloc(n_queues + 1, sizeof(*order));
	int *before = calloc(n_queues + 1, sizeof(*before));
	unsigned moved = 0;

	if (order == NULL || before == NULL)
		goto out;
	placement_sum_loads(lcores, n_lcores, queues, n_queues);
	uint64_t peak = placement_peak(lcores, n_lcores);
	unsigned idle = placement_count_idle(lcores, n_lcores);
	unsigned remote = placement_count_remote(lcores, n_lcores, queues, n_queues);
	for (unsigned i = 0; i < n_queues; i++) {
		order[i] = &queues[i];
		before[i] = queues[i].lcore;
		queues[i].lcore = PLACEMENT_NONE;
	}
	qsort(order, n_queues, sizeof(*order), placement_compare);
	placement_sum_loads(lcores, n_lcores, queues, n_queues);
	placement_assign_all(lcores, n_lcores, order, n_queues);

	uint64_t new_peak = placement_peak(lcores, n_lcores);
	bool worth = (new_peak < peak && new_peak <= peak - peak / 10) ||
		     placement_count_idle(lcores, n_lcores) < idle ||
		     placement_count_remote(lcores, n_lcores, queues, n_queues) < remote;
	for (unsigned i = 0; i < n_queues; i++) {
		if (!worth && before[i] != PLACEMENT_NONE)
			queues[i].lcore = before[i];
		moved += queues[i].lcore != before[i];
	}
	placement_sum_loads(lcores, n_lcores, queues, n_queues);
out:
	free(order);
	free(before);
	return moved;
}
