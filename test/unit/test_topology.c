/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of CPUs, on machines with any number of NUMA nodes: this file replaces libnuma. */
#include "unit.h"

#include <errno.h>
#include <numa.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lcore/topology.h"

/*
 * The machine of a test: CPUs are assigned to the nodes in groups, cyclically; 0 = a machine
 * without NUMA.
 */
static struct {
	int nodes;
	int cpus_per_node;
} machine;

int
numa_available(void)
{
	return machine.nodes > 0 ? 0 : -1;
}

int
numa_node_of_cpu(int cpu)
{
	return cpu / machine.cpus_per_node < machine.nodes ? cpu / machine.cpus_per_node : -1;
}

int
numa_max_node(void)
{
	return machine.nodes - 1;
}

static cpu_set_t
set_of(int first, int last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, &set);
	return set;
}

static void
test_parse_good(void **state)
{
	static const struct {
		const char *list, *polling;
	} cases[] = {
		{"1", "1"},
		{"1-3", "1-3"},
		{"1-3,8", "1-3,8"},
		{"8,3,2,1", "1-3,8"},
		{"5-5", "5"},
		{"1,1,1-2", "1-2"},
		{"0-14", "0-14"},
		{"01", "1"},
	};
	const cpu_set_t allowed = set_of(0, 15);
	char text[TOPOLOGY_LIST_MAX];
	cpu_set_t polling, again;
	struct err err;

	(void)state;
	machine.nodes = 0;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(topology_parse(cases[i].list, &allowed, &polling, &err), 0);
		assert_string_equal(topology_format(&polling, text), cases[i].polling);
		assert_int_equal(topology_parse(text, &allowed, &again, &err), 0);
		assert_true(CPU_EQUAL(&polling, &again));
	}
}

static void
test_parse_bad(void **state)
{
	static const char *const lists[] = {"", ",", "1,", ",1", "1,,2", "3-1", "1-", "-1", "1--2",
		"1-2-3", "one", "1 ", " 1", "1;2", "99999999999", "0-99999999999", "1024",
		"1-99999999999999999999999", "Auto", "auto,1", "+1", "0x1"};
	const cpu_set_t allowed = set_of(0, 15);
	cpu_set_t polling;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		assert_int_equal(topology_parse(lists[i], &allowed, &polling, &err), -EINVAL);
		assert_contains(err.text, "is not a list such as 1-3,8");
		assert_contains(err.text, lists[i]);
	}
}

static void
test_parse_not_there(void **state)
{
	const cpu_set_t allowed = set_of(2, 5);
	cpu_set_t polling;
	struct err err;

	(void)state;
	assert_int_equal(topology_parse("1", &allowed, &polling, &err), -EINVAL);
	assert_string_equal(err.text, "lcores: no CPU 1 here; this process may use 2-5");
	assert_int_equal(topology_parse("4-1023", &allowed, &polling, &err), -EINVAL);
	assert_string_equal(err.text, "lcores: no CPU 6 here; this process may use 2-5");
}

static void
test_parse_leaves_one(void **state)
{
	const cpu_set_t allowed = set_of(2, 5), single = set_of(7, 7);
	cpu_set_t polling;
	struct err err;

	(void)state;
	machine.nodes = 0;
	assert_int_equal(topology_parse("2-5", &allowed, &polling, &err), -EINVAL);
	assert_contains(err.text, "leaves no CPU for the control thread; leave one of 2-5 out");
	assert_int_equal(topology_parse("7", &single, &polling, &err), -EINVAL);
	assert_int_equal(topology_parse("auto", &single, &polling, &err), -EINVAL);
	assert_contains(err.text, "may use CPU 7 only");
}

static void
test_parse_auto(void **state)
{
	static const struct {
		int nodes, cpus_per_node, first, last;
		const char *polling;
	} cases[] = {
		{0, 0, 0, 1, "1"},
		{0, 0, 3, 6, "4-6"},
		{1, 4, 0, 3, "1-3"},
		{2, 4, 0, 7, "1-3,5-7"},
		{2, 4, 2, 7, "3,5-7"},
		{4, 4, 0, 15, "1-3,5-7,9-11,13-15"},
	};
	char text[TOPOLOGY_LIST_MAX];
	cpu_set_t polling;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const cpu_set_t allowed = set_of(cases[i].first, cases[i].last);

		machine.nodes = cases[i].nodes;
		machine.cpus_per_node = cases[i].cpus_per_node;
		assert_int_equal(topology_parse("auto", &allowed, &polling, &err), 0);
		assert_string_equal(topology_format(&polling, text), cases[i].polling);
	}
}

static void
test_nodes(void **state)
{
	(void)state;
	machine.nodes = 0;
	assert_int_equal(topology_node_of(5), 0);
	assert_int_equal(topology_nodes(), 1);
	machine.nodes = 2;
	machine.cpus_per_node = 4;
	assert_int_equal(topology_node_of(3), 0);
	assert_int_equal(topology_node_of(4), 1);
	assert_int_equal(topology_node_of(8), 0); /* a CPU whose node is not known */
	assert_int_equal(topology_nodes(), 2);
}

static void
test_format(void **state)
{
	cpu_set_t cpus = set_of(0, CPU_SETSIZE - 1);
	char text[TOPOLOGY_LIST_MAX];

	(void)state;
	assert_string_equal(topology_format(&cpus, text), "0-1023");
	CPU_ZERO(&cpus);
	assert_string_equal(topology_format(&cpus, text), "");
	CPU_SET(CPU_SETSIZE - 1, &cpus);
	assert_string_equal(topology_format(&cpus, text), "1023");
}

/** Every word of a list is a CPU of the set. */
static void
check_words(const char *list, const cpu_set_t *cpus)
{
	int cpu, used;

	for (const char *word = list; sscanf(word, "%d%n", &cpu, &used) == 1; word += used + 1) {
		assert_uint_in_range(cpu, 0, CPU_SETSIZE - 1);
		assert_true(CPU_ISSET(cpu, cpus));
		if (word[used] == '\0')
			return;
		assert_int_equal(word[used], ',');
	}
	fail_msg("ends in the middle: %s", list);
}

/** A list that is too long is truncated, but contains no CPU that is not in the set. */
static void
test_format_long(void **state)
{
	char text[TOPOLOGY_LIST_MAX];
	cpu_set_t cpus;

	(void)state;
	for (int first = 101; first > 85; first -= 2) {
		CPU_ZERO(&cpus);
		for (int cpu = first; cpu < CPU_SETSIZE; cpu += 2)
			CPU_SET(cpu, &cpus);
		topology_format(&cpus, text);
		assert_uint_in_range(strlen(text), TOPOLOGY_LIST_MAX - 8, TOPOLOGY_LIST_MAX - 1);
		check_words(text, &cpus);
	}
}

/** A thread that publishes its id and waits. */
struct waiting {
	pthread_barrier_t named, done;
	pid_t tid;
};

static void *
waiting_thread(void *arg)
{
	struct waiting *waiting = arg;

	waiting->tid = gettid();
	pthread_barrier_wait(&waiting->named);
	pthread_barrier_wait(&waiting->done);
	return NULL;
}

static bool
is_waiting(pid_t tid, void *arg)
{
	return tid == ((struct waiting *)arg)->tid;
}

static void
test_confine(void **state)
{
	cpu_set_t allowed, first, now, spared;
	struct waiting waiting;
	pthread_t thread;

	(void)state;
	assert_int_equal(topology_allowed(&allowed), 0);
	pthread_barrier_init(&waiting.named, NULL, 2);
	pthread_barrier_init(&waiting.done, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, waiting_thread, &waiting), 0);
	pthread_barrier_wait(&waiting.named);
	CPU_ZERO(&first);
	for (int cpu = 0; CPU_COUNT(&first) == 0; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			CPU_SET(cpu, &first);
	topology_confine(&first, is_waiting, &waiting);
	sched_getaffinity(0, sizeof(now), &now);
	sched_getaffinity(waiting.tid, sizeof(spared), &spared);
	pthread_barrier_wait(&waiting.done);
	pthread_join(thread, NULL);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	assert_true(CPU_EQUAL(&now, &first));
	assert_true(CPU_EQUAL(&spared, &allowed));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_good),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_parse_not_there),
		cmocka_unit_test(test_parse_leaves_one),
		cmocka_unit_test(test_parse_auto),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_long),
		cmocka_unit_test(test_confine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
