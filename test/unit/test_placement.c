/* SPDX-License-Identifier: BSD-3-Clause */
/* Assignment of queues to lcores. */
#include "unit.h"

#include <string.h>

#include "lcore/placement.h"

enum { NONE = PLACEMENT_NONE, MAX = 8 };

/* The machine of a test: lcores, queues, nodes and loads. */
struct machine {
	struct placement_lcore lcore[MAX];
	struct placement_queue queue[MAX];
	unsigned lcores, queues;
};

static void
fill(struct machine *machine)
{
	placement_fill(machine->lcore, machine->lcores, machine->queue, machine->queues);
}

static unsigned
balance(struct machine *machine)
{
	return placement_balance(machine->lcore, machine->lcores, machine->queue, machine->queues);
}

/** Loads and queue counts of the lcores are the sums of the queues assigned to them. */
static void
check_sums(const struct machine *machine)
{
	for (unsigned i = 0; i < machine->lcores; i++) {
		uint64_t load = 0;
		unsigned queues = 0;

		for (unsigned q = 0; q < machine->queues; q++)
			if (machine->queue[q].lcore == (int)i) {
				load += machine->queue[q].load;
				queues++;
			}
		assert_int_equal(machine->lcore[i].load, load);
		assert_int_equal(machine->lcore[i].queues, queues);
	}
}

static void
check_lcores(const struct machine *machine, const int lcores[])
{
	for (unsigned q = 0; q < machine->queues; q++)
		assert_int_equal(machine->queue[q].lcore, lcores[q]);
	check_sums(machine);
}

static void
test_fill_on_own_node(void **state)
{
	struct machine machine = {
		.lcores = 4,
		.lcore = {{.node = 0}, {.node = 1}, {.node = 0}, {.node = 1}},
		.queues = 6,
		.queue = {{1, 0, NONE}, {1, 0, NONE}, {1, 0, NONE}, {0, 0, NONE}, {0, 0, NONE},
			{1, 0, NONE}},
	};

	(void)state;
	fill(&machine);
	check_lcores(&machine, (const int[]){1, 3, 1, 0, 2, 3});
}

static void
test_fill_anywhere(void **state)
{
	/* No lcore is on node 7, and one queue is of any node. */
	struct machine machine = {
		.lcores = 2,
		.lcore = {{.node = 0}, {.node = 1}},
		.queues = 4,
		.queue = {{7, 0, NONE}, {-1, 0, NONE}, {7, 0, NONE}, {-1, 0, NONE}},
	};

	(void)state;
	fill(&machine);
	check_lcores(&machine, (const int[]){0, 1, 0, 1});
}

static void
test_fill_by_load(void **state)
{
	/* The first lcore has one busy queue; queues that are assigned keep their lcore. */
	struct machine machine = {
		.lcores = 2,
		.lcore = {{.load = 77, .queues = 3}, {.load = 0}},
		.queues = 5,
		.queue = {{0, 1000, 0}, {0, 300, NONE}, {0, 300, NONE}, {0, 300, NONE},
			{0, 300, NONE}},
	};

	(void)state;
	fill(&machine);
	check_lcores(&machine, (const int[]){0, 1, 1, 1, 1});
	fill(&machine);
	check_lcores(&machine, (const int[]){0, 1, 1, 1, 1});
}

static void
test_fill_nothing(void **state)
{
	struct machine machine = {.lcores = 1, .lcore = {{.load = 5, .queues = 5}}};

	(void)state;
	fill(&machine);
	check_sums(&machine);
	assert_int_equal(balance(&machine), 0);
	check_sums(&machine);
}

static void
test_balance_equal_loads(void **state)
{
	struct machine machine = {
		.lcores = 2,
		.queues = 4,
		.queue = {{0, 100, 0}, {0, 100, 0}, {0, 100, 0}, {0, 100, 1}},
	};

	(void)state;
	assert_int_equal(balance(&machine), 1);
	check_sums(&machine);
	assert_int_equal(machine.lcore[0].load, 200);
	assert_int_equal(machine.lcore[1].load, 200);
	assert_int_equal(balance(&machine), 0);
}

/** An improvement of less than a tenth causes no move; a tenth does. */
static void
test_balance_needs_gain(void **state)
{
	struct machine good = {
		.lcores = 2,
		.queues = 3,
		.queue = {{0, 1000, 0}, {0, 110, 0}, {0, 50, 1}},
	};
	struct machine even = {
		.lcores = 2,
		.queues = 4,
		.queue = {{0, 100, 1}, {0, 95, 0}, {0, 90, 1}, {0, 85, 0}},
	};
	const int before[] = {1, 0, 1, 0};

	(void)state;
	/* The busiest lcore would have a load of 1000 instead of 1110. */
	assert_int_equal(balance(&good), 0);
	good.queue[1].load = 112;
	assert_int_equal(balance(&good), 1);
	check_lcores(&good, (const int[]){0, 1, 1});
	assert_int_equal(balance(&even), 0);
	check_lcores(&even, before);
}

static void
test_balance_leaves_idle_queues(void **state)
{
	struct machine machine = {
		.lcores = 2,
		.queues = 4,
		.queue = {{0, 0, 0}, {0, 0, 1}, {0, 0, 1}, {0, 0, 0}},
	};

	(void)state;
	assert_int_equal(balance(&machine), 0);
	check_lcores(&machine, (const int[]){0, 1, 1, 0});
}

static void
test_balance_uses_all(void **state)
{
	struct machine machine = {
		.lcores = 3,
		.queues = 3,
		.queue = {{0, 1000, 0}, {0, 0, 0}, {0, 0, 1}},
	};

	(void)state;
	assert_true(balance(&machine) > 0);
	check_sums(&machine);
	for (unsigned i = 0; i < machine.lcores; i++)
		assert_int_equal(machine.lcore[i].queues, 1);
	/* One queue cannot be divided between two lcores. */
	machine.queues = 1;
	assert_int_equal(balance(&machine), 0);
}

static void
test_balance_to_own_node(void **state)
{
	struct machine machine = {
		.lcores = 2,
		.lcore = {{.node = 0}, {.node = 1}},
		.queues = 3,
		.queue = {{0, 10, 0}, {1, 10, 1}, {1, 10, 0}},
	};

	(void)state;
	assert_int_equal(balance(&machine), 1);
	check_lcores(&machine, (const int[]){0, 1, 1});
	assert_int_equal(balance(&machine), 0);
	/* Although the other node is idle. */
	machine.queue[0].load = 0;
	machine.queue[1].load = machine.queue[2].load = 1000;
	assert_int_equal(balance(&machine), 0);
}

static void
test_balance_assigns_unassigned(void **state)
{
	struct machine machine = {
		.lcores = 2,
		.queues = 3,
		.queue = {{0, 100, 0}, {0, 100, 1}, {0, 0, NONE}},
	};

	(void)state;
	assert_int_equal(balance(&machine), 1);
	assert_int_not_equal(machine.queue[2].lcore, NONE);
	check_sums(&machine);
}

/** The same input gives the same result, and the result is stable. */
static void
test_balance_is_deterministic(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct machine machine = {.lcores = 1 + seed % 4, .queues = MAX}, twin;

		for (unsigned i = 0; i < machine.lcores; i++)
			machine.lcore[i].node = (int)(seed >> (4 + i) & 1);
		for (unsigned q = 0; q < MAX; q++) {
			seed = seed * 1103515245 + 12345;
			machine.queue[q] = (struct placement_queue){(int)(seed >> 8 & 1),
				seed >> 12 & 0xff, (int)((seed >> 20) % machine.lcores)};
		}
		twin = machine;
		assert_int_equal(balance(&machine), balance(&twin));
		assert_memory_equal(machine.queue, twin.queue, sizeof(twin.queue));
		check_sums(&machine);
		assert_int_equal(balance(&machine), 0);
		assert_memory_equal(machine.queue, twin.queue, sizeof(twin.queue));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_on_own_node),
		cmocka_unit_test(test_fill_anywhere),
		cmocka_unit_test(test_fill_by_load),
		cmocka_unit_test(test_fill_nothing),
		cmocka_unit_test(test_balance_equal_loads),
		cmocka_unit_test(test_balance_needs_gain),
		cmocka_unit_test(test_balance_leaves_idle_queues),
		cmocka_unit_test(test_balance_uses_all),
		cmocka_unit_test(test_balance_to_own_node),
		cmocka_unit_test(test_balance_assigns_unassigned),
		cmocka_unit_test(test_balance_is_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
