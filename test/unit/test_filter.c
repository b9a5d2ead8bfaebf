/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Egress filters: a class that an ingress stage gives to a frame decides by which ports it may
 * leave.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/forward.h"
#include "datapath/snapshot.h"
#include "eal_fixture.h"
#include "fdb_help.h"
#include "packets.h"

#define HOST(n) (UINT64_C(0x02) | (uint64_t)(n) << 16)

/* Ports by id. */
enum { FROM, OPEN, STRICT, FLOODS, TWICE, PORTS };
enum { HEAD = 64, GOOD = 1, BETTER = 2, BEST = 3 };

static struct port ports[PORTS];
static struct burst_context context;
static struct snapshot *snapshot;
static struct fdb *fdb;
static uint8_t heads[FRAME_BURST][HEAD];
static unsigned delivered[PORTS];
static uint16_t order[PORTS][FRAME_BURST];

static void
record_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	uint16_t port = (uint16_t)((struct port *)dev - ports);

	(void)lcore_id;
	(void)counters;
	for (uint16_t i = 0; i < n; i++)
		order[port][delivered[port]++] = frames[i]->index;
}

static const struct port_type type = {.name = "record"};
static const struct port_driver driver = {.type = &type, .tx = record_tx};

/** The ingress stage: the class is the last byte of the source address. */
static void
set_class(struct burst_context *burst_context, const void *state)
{
	struct burst *burst = &burst_context->burst;

	(void)state;
	for (unsigned i = 0; i < burst->n; i++)
		burst->frame[i].verdict = burst->frame[i].head[11];
}

static uint32_t
pass(const struct burst_context *burst_context, const void *state, uint32_t frames)
{
	const uint8_t *least = state;

	for (uint32_t rest = frames; rest != 0; rest &= rest - 1)
		if (burst_context->burst.frame[__builtin_ctz(rest)].verdict < *least)
			frames &= ~(rest & -rest);
	return frames;
}

static int
first_compile(const struct feature_input *input, struct feature_stages *stages)
{
	static const uint8_t good = GOOD;

	if (input->port->id == FROM)
		stages->ingress[INGRESS_FRAMES].run = set_class;
	else if (input->port->id != OPEN)
		stages->filter = (struct egress_filter){pass, &good, DROP_POLICY, false};
	if (input->port->id == FLOODS)
		stages->filter.floods_only = true;
	return 0;
}

static int
second_compile(const struct feature_input *input, struct feature_stages *stages)
{
	static const uint8_t better = BETTER;

	if (input->port->id == TWICE)
		stages->filter = (struct egress_filter){pass, &better, DROP_STORM, false};
	return 0;
}

static const struct feature first = {.name = "first", .compile = first_compile};
static const struct feature second = {.name = "second", .compile = second_compile};
static const struct feature *const rows[] = {&first, &second, NULL};

static int
setup(void **state)
{
	static struct port *by_id[PORT_MAX];
	static bool up[PORT_MAX];

	memset(&context, 0, sizeof(context));
	memset(delivered, 0, sizeof(delivered));
	for (uint16_t i = 0; i < PORTS; i++) {
		ports[i] = (struct port){
			.config.driver = &driver, .id = i, .dev = &ports[i], .max_len = 1514};
		by_id[i] = &ports[i];
		up[i] = true;
	}
	fdb = fdb_create(&(struct fdb_config){.capacity = 1024});
	fdb_age(fdb, 0);
	for (uint16_t i = 0; i < PORTS; i++)
		learn(fdb, HOST(i), 0, i);
	snapshot = snapshot_build(rows, NULL, by_id, up, NULL, 0);
	assert_non_null(snapshot);
	context.fdb = fdb;
	context.snapshot = snapshot;
	context.burst.port = FROM;
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	snapshot_free(snapshot);
	fdb_destroy(fdb);
	return eal_test_teardown(state);
}

static void
add(uint64_t dst, uint8_t verdict)
{
	static const struct frame_segment nothing;
	uint16_t index = context.burst.n++;
	const struct packet packet = {
		.dst = dst, .src = HOST(99) | (uint64_t)verdict << 40, .payload = 20};
	uint8_t bytes[256];

	packet_write(&packet, bytes);
	memcpy(heads[index], bytes, HEAD);
	context.burst.frame[index] = (struct frame){.head = heads[index],
		.head_len = HEAD,
		.len = HEAD,
		.segment = &nothing,
		.verdict = 99,
		.index = index};
}

static void
forward(void)
{
	(void)burst_measure(&context.burst);
	ingress_run(&context, snapshot_ingress(snapshot, FROM));
	forward_burst(&context);
}

static void
check(uint16_t port, unsigned n, const uint16_t indexes[])
{
	assert_int_equal(delivered[port], n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(order[port][i], indexes[i]);
}

static void
test_unicast(void **state)
{
	const struct counters *counters = &context.counters[FROM];

	(void)state;
	for (uint16_t port = OPEN; port < PORTS; port++)
		for (uint8_t verdict = 0; verdict <= BETTER; verdict++)
			add(HOST(port), verdict);
	forward();
	check(OPEN, 3, (const uint16_t[]){0, 1, 2});
	check(STRICT, 2, (const uint16_t[]){4, 5});
	check(FLOODS, 3, (const uint16_t[]){6, 7, 8});
	check(TWICE, 1, (const uint16_t[]){11});
	assert_int_equal(counters->rx_drops[DROP_POLICY], 2);
	assert_int_equal(counters->rx_drops[DROP_STORM], 1);
	assert_int_equal(counters->rx_forwarded, 9);
	assert_int_equal(context.burst.dest[3], DEST_DROP + DROP_POLICY);
	assert_int_equal(context.burst.dest[10], DEST_DROP + DROP_STORM);
}

static void
test_floods(void **state)
{
	const struct counters *counters = &context.counters[FROM];

	(void)state;
	for (uint8_t verdict = 0; verdict <= BEST; verdict++)
		add(verdict % 2 == 0 ? MAC_MASK : HOST(50), verdict);
	forward();
	assert_int_equal(delivered[OPEN], 4);
	check(STRICT, 3, (const uint16_t[]){2, 1, 3});
	check(FLOODS, 3, (const uint16_t[]){2, 1, 3});
	check(TWICE, 2, (const uint16_t[]){2, 3});
	assert_int_equal(counters->rx_forwarded, 4);
	assert_int_equal(counters->rx_copies, 4 + 3 + 3 + 2);
}

/** A flood that no filter passes has no target. */
static void
test_no_target(void **state)
{
	(void)state;
	snapshot->target[OPEN].filters = snapshot->target[STRICT].filters;
	add(MAC_MASK, 0);
	forward();
	for (uint16_t port = OPEN; port < PORTS; port++)
		check(port, 0, NULL);
	assert_int_equal(context.counters[FROM].rx_drops[DROP_NO_TARGET], 1);
}

#define filter_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		filter_test(test_unicast),
		filter_test(test_floods),
		filter_test(test_no_target),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
