/* SPDX-License-Identifier: BSD-3-Clause */
/* From classification to the drivers: groups, floods, drops, counters. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/forward.h"
#include "datapath/snapshot.h"
#include "eal_fixture.h"
#include "features/table.h"
#include "packets.h"
#include "runs_help.h"
#include "sections.h"

enum { PORTS = 5, FROM = 0, SHORT_PORT = 3, LAST = 4, LCORE_ID = 2 };
enum { LEN = 64, MAX_LEN = 1514, SHORT_LEN = 1000 };

/** Frames that a driver received, by number, and its calls. */
struct sink {
	unsigned calls;
	unsigned n;
	uint32_t number[1024];
	uint16_t refs[1024]; /**< references to the frame at that time */
};

static struct sink sinks[PORTS];
static struct port ports[PORTS];
static struct burst_context context;
static struct snapshot *snapshot;

static uint32_t
number_of(const struct frame *frame)
{
	return packet_get32(frame->head + 38);
}

static void
sink_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct sink *sink = dev;

	assert_int_equal(lcore_id, LCORE_ID);
	assert_uint_in_range(n, 1, FRAME_BURST);
	sink->calls++;
	for (uint16_t i = 0; i < n; i++) {
		sink->refs[sink->n] = rte_mbuf_refcnt_read(frames[i]->mbuf);
		sink->number[sink->n++] = number_of(frames[i]);
		counters->tx_packets++;
		counters->tx_bytes += frames[i]->len;
	}
	frame_free(frames, n);
}

static uint16_t
sink_rx(void *dev, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	(void)dev, (void)lcore_id, (void)queue;
	(void)frames, (void)n, (void)counters;
	return 0;
}

static const struct port_type sink_type = {.name = "sink"};
static const struct port_driver sink_driver = {.type = &sink_type, .rx = sink_rx, .tx = sink_tx};

/** Port ids of the test's ports, the highest possible one among them. */
static uint16_t
id_of(unsigned port)
{
	return (uint16_t)(port == LAST ? PORT_MAX - 1 : port * 3);
}

static void
publish(unsigned up)
{
	static struct port *by_id[PORT_MAX];
	static bool is_up[PORT_MAX];

	for (unsigned i = 0; i < PORTS; i++) {
		by_id[id_of(i)] = &ports[i];
		is_up[id_of(i)] = up >> i & 1;
	}
	snapshot_free(snapshot);
	snapshot = snapshot_build(features, NULL, by_id, is_up, NULL, 0);
	context.snapshot = snapshot;
	assert_non_null(snapshot);
}

static int
setup(void **state)
{
	memset(sinks, 0, sizeof(sinks));
	memset(&context, 0, sizeof(context));
	context.lcore_id = LCORE_ID;
	context.burst.port = id_of(FROM);
	for (unsigned i = 0; i < PORTS; i++) {
		ports[i] = (struct port){.config.driver = &sink_driver,
			.id = id_of(i),
			.dev = &sinks[i],
			.max_len = i == SHORT_PORT ? SHORT_LEN : MAX_LEN};
		port_config_defaults(&ports[i].config);
	}
	publish(0x1f);
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	snapshot_free(snapshot);
	snapshot = NULL;
	return eal_test_teardown(state);
}

/** Append a frame with a number and a destination. */
static struct frame *
add(uint32_t number, uint16_t dest, uint32_t length)
{
	const struct packet packet = {.seq = number, .payload = length - 54};
	struct burst *burst = &context.burst;
	struct frame *frame = &burst->frame[burst->n];

	frame_from_mbuf(frame, packet_mbuf(eal_fixture_pool(), &packet, 0, 0));
	frame->l2_len = FRAME_ETH_LEN;
	frame->vlan = 0;
	burst->dest[burst->n++] = dest;
	return frame;
}

static void
check_sink(unsigned port, unsigned calls, unsigned n, const uint32_t numbers[])
{
	const struct counters *counters = &context.counters[id_of(port)];

	assert_int_equal(sinks[port].calls, calls);
	assert_int_equal(sinks[port].n, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(sinks[port].number[i], numbers[i]);
	assert_int_equal(counters->tx_packets, n);
}

/** Frames from the port are forwarded or dropped; copies are sent or dropped. */
static void
check_balance(uint64_t received)
{
	const struct counters *from = &context.counters[id_of(FROM)];
	struct counters sum = {0};

	for (unsigned i = 0; i < PORTS; i++)
		counters_add(&sum, &context.counters[id_of(i)]);
	assert_int_equal(received, from->rx_forwarded + counters_drops(from->rx_drops));
	assert_int_equal(from->rx_copies, sum.tx_packets + counters_drops(sum.tx_drops));
	assert_int_equal(sum.rx_copies, from->rx_copies);
}

static void
forward(void)
{
	make_runs(&context);
	(void)burst_measure(&context.burst);
	forward_burst(&context);
}

static void
test_groups(void **state)
{
	(void)state;
	add(1, id_of(1), LEN);
	add(2, id_of(2), LEN);
	add(3, id_of(1), LEN);
	add(4, id_of(LAST), LEN);
	add(5, id_of(2), LEN);
	add(6, id_of(1), LEN);
	forward();
	check_sink(1, 1, 3, (const uint32_t[]){1, 3, 6});
	check_sink(2, 1, 2, (const uint32_t[]){2, 5});
	check_sink(LAST, 1, 1, (const uint32_t[]){4});
	check_sink(FROM, 0, 0, NULL);
	check_balance(6);
	assert_int_equal(context.counters[id_of(FROM)].rx_forwarded, 6);
	assert_int_equal(context.counters[id_of(1)].tx_bytes, 3 * LEN);
}

/** A full burst with all kinds of destinations in random order: order is kept at every port. */
static void
test_order(void **state)
{
	static const uint16_t dests[] = {1, 2, 3, 4};
	uint32_t seed = 5, number = 0;

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		context.burst.n = 0;
		memset(sinks, 0, sizeof(sinks));
		for (unsigned i = 0; i < FRAME_BURST; i++) {
			seed = seed * 1103515245 + 12345;
			add(++number, id_of(dests[seed >> 16 & 3]), LEN);
		}
		forward();
		unsigned sum = 0;
		for (unsigned i = 1; i < PORTS; i++) {
			assert_uint_in_range(sinks[i].calls, 0, 1);
			for (unsigned k = 1; k < sinks[i].n; k++)
				assert_true(sinks[i].number[k] > sinks[i].number[k - 1]);
			sum += sinks[i].n;
		}
		assert_int_equal(sum, FRAME_BURST);
	}
	check_balance(number);
}

static void
test_empty(void **state)
{
	(void)state;
	forward();
	check_balance(0);
}

static void
test_drops(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < DROP_COUNT; reason++)
		add(reason, (uint16_t)(DEST_DROP + reason), LEN);
	add(100, DEST_DROP + DROP_RUNT, LEN);
	forward();
	for (unsigned reason = 0; reason < DROP_COUNT; reason++)
		assert_int_equal(context.counters[id_of(FROM)].rx_drops[reason],
			reason == DROP_RUNT ? 2 : 1);
	for (unsigned i = 0; i < PORTS; i++)
		check_sink(i, 0, 0, NULL);
	check_balance(DROP_COUNT + 1);
}

/** By reference: one mbuf for all ports, freed with the last reference. */
static void
test_flood(void **state)
{
	(void)state;
	add(1, DEST_UNKNOWN, LEN);
	add(2, id_of(1), LEN);
	add(3, DEST_UNKNOWN, LEN);
	forward();
	check_sink(FROM, 0, 0, NULL);
	check_sink(1, 2, 3, (const uint32_t[]){1, 3, 2});
	unsigned refs = 0;
	for (unsigned i = 2; i < PORTS; i++) {
		check_sink(i, 1, 2, (const uint32_t[]){1, 3});
		refs += sinks[i].refs[0];
	}
	assert_int_equal(refs + sinks[1].refs[0], 4 + 3 + 2 + 1);
	assert_int_equal(context.counters[id_of(FROM)].rx_forwarded, 3);
	assert_int_equal(context.counters[id_of(FROM)].rx_copies, 9);
	check_balance(3);
}

static void
test_flood_chain(void **state)
{
	struct frame *frame = add(1, DEST_UNKNOWN, LEN);

	(void)state;
	assert_int_equal(rte_pktmbuf_chain(frame->mbuf, rte_pktmbuf_alloc(eal_fixture_pool())), 0);
	forward();
	for (unsigned i = 1; i < PORTS; i++)
		assert_int_equal(sinks[i].n, 1);
	check_balance(1);
}

static void
test_flood_without_targets(void **state)
{
	(void)state;
	publish(1 << FROM);
	add(1, DEST_UNKNOWN, LEN);
	add(2, DEST_UNKNOWN, LEN);
	forward();
	assert_int_equal(context.counters[id_of(FROM)].rx_drops[DROP_NO_TARGET], 2);
	check_balance(2);
	/* The same if the source port is down as well. */
	publish(0);
	context.burst.n = 0;
	add(3, DEST_UNKNOWN, LEN);
	forward();
	assert_int_equal(context.counters[id_of(FROM)].rx_drops[DROP_NO_TARGET], 3);
	check_balance(3);
}

/** The source port has just gone down: all ports that are up get the frame. */
static void
test_flood_from_down(void **state)
{
	(void)state;
	publish(1 << 1 | 1 << 2);
	add(1, DEST_UNKNOWN, LEN);
	forward();
	check_sink(1, 1, 1, (const uint32_t[]){1});
	check_sink(2, 1, 1, (const uint32_t[]){1});
	check_sink(LAST, 0, 0, NULL);
	check_balance(1);
}

static void
test_link_down(void **state)
{
	(void)state;
	publish(1 << FROM | 1 << 1);
	add(1, id_of(2), LEN);
	add(2, id_of(1), LEN);
	add(3, 1000, LEN); /* an id that has no port */
	forward();
	check_sink(1, 1, 1, (const uint32_t[]){2});
	check_sink(2, 0, 0, NULL);
	assert_int_equal(context.counters[id_of(2)].tx_drops[DROP_LINK_DOWN], 1);
	assert_int_equal(context.counters[1000].tx_drops[DROP_LINK_DOWN], 1);
	assert_int_equal(context.counters[id_of(FROM)].rx_forwarded, 3);
}

static void
test_too_long(void **state)
{
	(void)state;
	add(1, id_of(SHORT_PORT), SHORT_LEN);
	add(2, id_of(SHORT_PORT), SHORT_LEN + 1);
	add(3, id_of(SHORT_PORT), LEN);
	add(4, DEST_UNKNOWN, SHORT_LEN + 1);
	forward();
	check_sink(SHORT_PORT, 1, 2, (const uint32_t[]){1, 3});
	check_sink(1, 1, 1, (const uint32_t[]){4});
	assert_int_equal(context.counters[id_of(SHORT_PORT)].tx_drops[DROP_TOO_LONG], 2);
	check_balance(4);
}

/** Append a frame whose headers begin with tags. */
static struct frame *
add_tagged(uint32_t number, uint32_t length, const uint16_t tpids[], unsigned tags)
{
	struct frame *frame = add(number, id_of(SHORT_PORT), length);
	uint8_t *type = rte_pktmbuf_mtod_offset(frame->mbuf, uint8_t *, 12);

	for (unsigned i = 0; i < tags; i++, type += 4) {
		packet_put16(type, tpids[i]);
		packet_put16(type + 2, 10);
	}
	packet_put16(type, 0x0800);
	return frame;
}

enum { C = 0x8100, S = 0x88a8 };

/** The MTU does not count the first two tags of a frame that leaves, or of one to be segmented. */
static void
test_too_long_tags(void **state)
{
	enum mode { AS_IT_IS, ACCESS, TRUNK };
	static const struct {
		uint16_t tpids[4];
		unsigned tags, tag_len;
		enum mode mode;
		unsigned beside; /**< bytes of tags that do not count, as received */
	} kinds[] = {
		{{C}, 1, 4, AS_IT_IS, 4},
		{{S}, 1, 0, AS_IT_IS, 4},
		{{C, C}, 2, 4, AS_IT_IS, 8},
		{{S, C}, 2, 0, AS_IT_IS, 8},
		{{C, S}, 2, 4, AS_IT_IS, 8},
		{{C, C, C}, 3, 4, AS_IT_IS, 8},
		{{S, C, C, C}, 4, 0, AS_IT_IS, 8},
		{{0x9100, C}, 2, 0, AS_IT_IS, 0},
		{{C, 0x9100}, 2, 4, AS_IT_IS, 4},
		{{0}, 0, 0, TRUNK, 0},
		{{C, C, C}, 3, 4, TRUNK, 8},
		{{S, C}, 2, 0, TRUNK, 4}, /* a third one is put before them */
		{{C, C}, 2, 4, ACCESS, 8},
		{{C, C, C}, 3, 4, ACCESS, 12},
		{{S, C}, 2, 0, ACCESS, 8},
	};
	struct vlan_config *config = SECTION(&ports[SHORT_PORT].config, vlan);

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		uint32_t limit = SHORT_LEN + kinds[i].beside;

		config->vlan = kinds[i].mode == ACCESS ? 10 : 0;
		strcpy(config->trunk, kinds[i].mode == TRUNK ? "10" : "");
		publish(0x1f);
		for (uint32_t f = 0; f < 4; f++) {
			uint32_t length = f < 2 ? limit + f : 9000;
			struct frame *frame = add_tagged(f, length, kinds[i].tpids, kinds[i].tags);

			frame->vlan = 10;
			frame->tag_len = (uint16_t)kinds[i].tag_len;
			if (f >= 2)
				frame->offload = (struct frame_offload){FRAME_CSUM | FRAME_TSO4,
					.header_len = 70, .gso_size = (uint16_t)(limit - 72 + f)};
		}
		forward();
		context.burst.n = 0;
		assert_int_equal(sinks[SHORT_PORT].n, 2 * (i + 1));
		assert_int_equal(
			context.counters[id_of(SHORT_PORT)].tx_drops[DROP_TOO_LONG], 2 * (i + 1));
	}
}

/** The length of a frame to be segmented is that of its segments. */
static void
test_too_long_segments(void **state)
{
	static const struct {
		uint8_t flags;
		uint16_t gso_size;
		bool fits;
	} cases[] = {
		{FRAME_CSUM | FRAME_TSO4, SHORT_LEN - 54, true},
		{FRAME_CSUM | FRAME_TSO4, SHORT_LEN - 53, false},
		{FRAME_CSUM | FRAME_TSO6, SHORT_LEN - 54, true},
		{FRAME_CSUM, SHORT_LEN - 54, false},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct frame *frame = add(i, id_of(SHORT_PORT), 60000);
		frame->offload = (struct frame_offload){
			.flags = cases[i].flags, .header_len = 54, .gso_size = cases[i].gso_size};
	}
	forward();
	check_sink(SHORT_PORT, 1, 2, (const uint32_t[]){0, 2});
	assert_int_equal(context.counters[id_of(SHORT_PORT)].tx_drops[DROP_TOO_LONG], 2);
	check_balance(4);
}

static void
test_snapshot(void **state)
{
	(void)state;
	publish(1 << 1 | 1 << LAST);
	assert_int_equal(snapshot->flood[FLOOD_BROADCAST].n, 2);
	assert_int_equal(snapshot->flood[FLOOD_BROADCAST].port[0], id_of(1));
	assert_int_equal(snapshot->flood[FLOOD_BROADCAST].port[1], PORT_MAX - 1);
	assert_null(snapshot->target[id_of(FROM)].tx);
	assert_null(snapshot->target[1].tx);
	assert_ptr_equal(snapshot->target[PORT_MAX - 1].dev, &sinks[LAST]);
	assert_int_equal(snapshot->target[PORT_MAX - 1].max_len, MAX_LEN);
}

static void
test_snapshot_polls(void **state)
{
	static struct port *by_id[PORT_MAX];
	static bool up[PORT_MAX];
	const struct snapshot_queue queues[] = {
		{.port = &ports[0], .queue = 0, .slot = 10, .lcore_id = 1, .active = true},
		{.port = &ports[0], .queue = 1, .slot = 11, .lcore_id = -1, .active = true},
		{.port = &ports[1], .slot = 12, .lcore_id = LCORE_MAX - 1, .active = true},
		{.port = &ports[1], .queue = 1, .slot = 13, .lcore_id = 1, .active = false},
		{.port = &ports[2], .queue = 5, .slot = 14, .lcore_id = 1, .active = true},
	};
	struct snapshot *built = snapshot_build(features, NULL, by_id, up, queues, COUNT(queues));

	(void)state;
	assert_non_null(built);
	assert_int_equal(built->lcore[0].polls, 0);
	assert_int_equal(built->lcore[1].polls, 2);
	assert_int_equal(built->lcore[1].poll[0].slot, 10);
	assert_ptr_equal(built->lcore[1].poll[0].dev, &sinks[0]);
	assert_int_equal(built->lcore[1].poll[1].slot, 14);
	assert_int_equal(built->lcore[1].poll[1].queue, 5);
	assert_int_equal(built->lcore[1].poll[1].port, id_of(2));
	assert_int_equal(built->lcore[LCORE_MAX - 1].polls, 1);
	assert_int_equal(built->flood[FLOOD_BROADCAST].n, 0);
	snapshot_free(built);
}

#define forward_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		forward_test(test_groups),
		forward_test(test_order),
		forward_test(test_empty),
		forward_test(test_drops),
		forward_test(test_flood),
		forward_test(test_flood_chain),
		forward_test(test_flood_without_targets),
		forward_test(test_flood_from_down),
		forward_test(test_link_down),
		forward_test(test_too_long),
		forward_test(test_too_long_tags),
		forward_test(test_too_long_segments),
		forward_test(test_snapshot),
		forward_test(test_snapshot_polls),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
