/* SPDX-License-Identifier: BSD-3-Clause */
/* The ingress stages of features, and floods that exclude some ports. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/classify.h"
#include "datapath/forward.h"
#include "datapath/ingress.h"
#include "datapath/snapshot.h"
#include "eal_fixture.h"
#include "feature_state.h"
#include "fdb_help.h"
#include "features/table.h"
#include "packets.h"
#include "sections.h"

#define HOST(n)   (UINT64_C(0x02) | (uint64_t)(n) << 16)
#define BROADCAST MAC_MASK
#define MULTICAST UINT64_C(0x01005e000001)

enum { PORTS = 8, HEAD = 64 };
/* Ports by id; an uplink has members. */
enum { FROM, OTHER, TAGGED, UP, MEMBER, SECOND, LAST, IDLE };

static struct port ports[PORTS];
static struct burst_context context;
static struct snapshot *snapshot;
static struct fdb *fdb;
static uint8_t heads[FRAME_BURST][HEAD];
static unsigned delivered[PORTS];
static uint16_t order[PORTS][FRAME_BURST];

static void
count_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	uint16_t port = (uint16_t)((struct port *)dev - ports);

	(void)lcore_id;
	for (uint16_t i = 0; i < n; i++)
		order[port][delivered[port]++] = frames[i]->index;
	counters->tx_packets += n;
	frame_free(frames, n);
}

static const struct port_type type = {.name = "count"};
static const struct port_driver driver = {.type = &type, .tx = count_tx};
static struct port_services services = {.senders = 1};

static void
publish(void)
{
	struct port *by_id[PORT_MAX] = {0};
	bool up[PORT_MAX] = {0};

	for (unsigned i = 0; i < PORTS; i++) {
		by_id[i] = &ports[i];
		up[i] = i != IDLE;
	}
	snapshot_free(snapshot);
	snapshot = snapshot_build(features, NULL, by_id, up, NULL, 0);
	context.snapshot = snapshot;
	assert_non_null(snapshot);
}

static int
setup(void **state)
{
	memset(&context, 0, sizeof(context));
	memset(delivered, 0, sizeof(delivered));
	for (uint16_t i = 0; i < PORTS; i++) {
		ports[i] = (struct port){.config.driver = &driver,
			.id = i,
			.dev = &ports[i],
			.services = &services,
			.max_len = 1514};
		port_config_defaults(&ports[i].config);
		strcpy(ports[i].config.name, i == UP ? "up" : "port");
	}
	fdb = fdb_create(&(struct fdb_config){.capacity = 1024});
	fdb_age(fdb, 0);
	context.fdb = fdb;
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	snapshot_free(snapshot);
	snapshot = NULL;
	features_close_all(&ports[LAST]);
	fdb_destroy(fdb);
	return eal_test_teardown(state);
}

/** Append a frame; tci 0xffff is no tag. */
static struct frame *
add(uint64_t dst, uint64_t src, uint16_t tci)
{
	static const struct frame_segment nothing;
	struct burst *burst = &context.burst;
	struct packet packet = {
		.dst = dst, .src = src, .tagged = tci != 0xffff, .vlan = tci, .payload = 20};
	uint8_t bytes[256];
	uint16_t place = burst->n++;

	packet_write(&packet, bytes);
	memcpy(heads[place], bytes, HEAD);
	burst->frame[place] = (struct frame){.head = heads[place],
		.head_len = HEAD,
		.len = HEAD,
		.segment = &nothing,
		.index = place,
		.l2_len = 99,
		.vlan = 99,
		.tag_len = 99};
	return &burst->frame[place];
}

static void
classify(uint16_t from)
{
	const struct ingress_stage *stages = snapshot_ingress(snapshot, from);

	context.burst.port = from;
	(void)burst_measure(&context.burst);
	if (stages != NULL)
		ingress_run(&context, stages);
	else
		classify_plain_stage(&context, NULL);
}

static void
check_dests(uint16_t from, const uint16_t dests[])
{
	classify(from);
	forward_burst(&context);
	memset(delivered, 0, sizeof(delivered));
	for (unsigned i = 0; i < context.burst.n; i++)
		if (context.burst.dest[i] != dests[i])
			fail_msg("frame %u goes to %x instead of %x", i, context.burst.dest[i],
				dests[i]);
	context.burst.n = 0;
}

static void
member(uint16_t port, enum policy_mode mode)
{
	struct policy_config *config = SECTION(&ports[port].config, policy);

	strcpy(config->uplink, "up");
	config->policy = mode;
}

/** Source and destination port must carry the VLAN of a frame. */
static void
test_membership(void **state)
{
	(void)state;
	SECTION(&ports[FROM].config, vlan)->vlan = 10;
	SECTION(&ports[OTHER].config, vlan)->vlan = 20;
	strcpy(SECTION(&ports[TAGGED].config, vlan)->trunk, "10,20");
	publish();
	for (uint16_t port = OTHER; port <= LAST; port++)
		learn(fdb, HOST(port), 10, port);
	learn(fdb, HOST(FROM), 10, FROM);
	add(HOST(OTHER), HOST(50), 0xffff);
	add(HOST(TAGGED), HOST(50), 0xffff);
	add(HOST(LAST), HOST(50), 0x6000);
	add(HOST(FROM), HOST(50), 0xffff);
	add(HOST(99), HOST(50), 0xffff);
	add(BROADCAST, HOST(50), 0xffff);
	add(MULTICAST, HOST(50), 0xffff);
	add(HOST(TAGGED), HOST(51), 10);
	add(UINT64_C(0x000000c28001), HOST(51), 0xffff);
	add(BROADCAST, HOST(51), 4095);
	check_dests(FROM,
		(const uint16_t[]){DEST_DROP + DROP_VLAN, TAGGED, LAST, DEST_DROP + DROP_SAME_PORT,
			DEST_UNKNOWN, DEST_BROADCAST, DEST_MULTICAST, DEST_DROP + DROP_VLAN,
			DEST_DROP + DROP_RESERVED, DEST_DROP + DROP_BAD_TAG});
	assert_int_equal(lookup(fdb, HOST(50), 10), FROM);
	assert_int_equal(lookup(fdb, HOST(50), 0), FDB_MISS);
	assert_int_equal(lookup(fdb, HOST(51), 10), FDB_MISS);
}

static void
test_learning_off(void **state)
{
	(void)state;
	SECTION(&ports[FROM].config, learn)->learn = false;
	publish();
	assert_null(snapshot->stages[OTHER]);
	add(HOST(1), HOST(2), 0xffff);
	check_dests(FROM, (const uint16_t[]){DEST_UNKNOWN});
	assert_int_equal(lookup(fdb, HOST(2), 0), FDB_MISS);
}

/**
 * Frames from invalid source addresses are dropped at ports with rules of every kind, learning or
 * not.
 */
static void
test_bad_sources(void **state)
{
	static const uint64_t sources[] = {1, MULTICAST, BROADCAST, 0};
	static const uint16_t from[] = {FROM, OTHER, TAGGED, UP, MEMBER, LAST};
	enum { BAD = DEST_DROP + DROP_BAD_SOURCE };

	(void)state;
	SECTION(&ports[FROM].config, learn)->learn = false;
	strcpy(SECTION(&ports[OTHER].config, sources)->macs, "02:00:00:00:00:00,02:00:01:00:00:00");
	strcpy(SECTION(&ports[TAGGED].config, vlan)->trunk, "10");
	SECTION(&ports[TAGGED].config, vlan)->native = 10;
	member(MEMBER, POLICY_VEPA);
	SECTION(&ports[LAST].config, storm)->storm = 1000;
	feature_state_open(&ports[LAST], publish);
	assert_non_null(snapshot->stages[LAST]);
	for (unsigned s = 0; s < COUNT(sources); s++) {
		for (unsigned p = 0; p < COUNT(from); p++) {
			for (unsigned i = 0; i < 4; i++) {
				add(HOST(99), HOST(1), 0xffff);
				if (i % 2 == 1)
					memcpy(heads[i] + MAC_BYTES, &sources[s], MAC_BYTES);
			}
			uint16_t good = from[p] == MEMBER ? UP : DEST_UNKNOWN;
			check_dests(from[p], (const uint16_t[]){good, BAD, good, BAD});
			assert_int_equal(lookup(fdb, sources[s], 0), FDB_MISS);
			assert_int_equal(lookup(fdb, sources[s], 10), FDB_MISS);
		}
	}
}

/**
 * Reserved addresses are forwarded by the rules of the source port: none, those between customers'
 * bridges, a list.
 */
static void
test_reserved(void **state)
{
	(void)state;
	strcpy(SECTION(&ports[FROM].config, reserved)->forward, "lldp,2");
	SECTION(&ports[OTHER].config, vlan)->protocol = VLAN_8021AD;
	publish();
	for (unsigned from = FROM; from <= TAGGED; from++) {
		static const uint16_t passing[] = {0x4004, 0xb801, 0};

		for (uint64_t last = 0; last < 16; last++)
			add(UINT64_C(0x000000c28001) | last << 40, HOST(from + 1), 0xffff);
		classify((uint16_t)from);
		for (unsigned last = 0; last < 16; last++)
			assert_int_equal(context.burst.dest[last],
				passing[from] >> last & 1 ? DEST_MULTICAST
							  : DEST_DROP + DROP_RESERVED);
		context.burst.n = 0;
		assert_int_equal(
			lookup(fdb, HOST(from + 1), 0), passing[from] != 0 ? from : FDB_MISS);
	}
}

/**
 * The result for the first frame of a header run, with the length of the tag, is that of the whole
 * run.
 */
static void
test_header_runs(void **state)
{
	(void)state;
	SECTION(&ports[OTHER].config, vlan)->vlan = 10;
	publish();
	for (unsigned i = 0; i < 12; i++)
		add(HOST(OTHER), HOST(2), i < 4 ? 0xffff : i < 8 ? 0x2005 : 0x200a);
	classify(FROM);
	for (unsigned i = 0; i < 12; i++) {
		const struct frame *frame = &context.burst.frame[i];
		assert_int_equal(frame->tag_len, i < 4 ? 0 : 4);
		assert_int_equal(frame->l2_len, i < 4 ? 14 : 18);
		assert_int_equal(frame->vlan, i < 4 ? 0 : i < 8 ? 5 : 10);
		assert_int_equal(context.burst.source_port[i], FROM);
	}
	context.burst.n = 0;
}

/** A member's frames go to the uplink only, whatever the FDB contains. */
static void
test_fixed(void **state)
{
	(void)state;
	member(MEMBER, POLICY_VEPA);
	member(SECOND, POLICY_PRIVATE);
	SECTION(&ports[UP].config, vlan)->vlan = 10;
	publish();
	learn(fdb, HOST(SECOND), 0, SECOND);
	add(HOST(SECOND), HOST(40), 10);
	add(BROADCAST, HOST(40), 10);
	add(HOST(1), HOST(40), 20);
	add(UINT64_C(0x000000c28001), HOST(40), 10);
	check_dests(MEMBER,
		(const uint16_t[]){UP, UP, DEST_DROP + DROP_VLAN, DEST_DROP + DROP_RESERVED});
	strcpy(SECTION(&ports[MEMBER].config, policy)->uplink, "absent");
	publish();
	add(BROADCAST, HOST(40), 10);
	check_dests(MEMBER, (const uint16_t[]){DEST_DROP + DROP_NO_TARGET});
}

/**
 * A frame reflected by the uplink keeps its sender as source port, is not learnt, and is not sent
 * back to it.
 */
static void
test_reflected(void **state)
{
	(void)state;
	member(MEMBER, POLICY_VEPA);
	member(SECOND, POLICY_VEPA);
	publish();
	learn(fdb, HOST(40), 0, MEMBER);
	learn(fdb, HOST(50), 0, SECOND);
	add(HOST(50), HOST(40), 0xffff);
	add(HOST(40), HOST(40), 0xffff);
	add(BROADCAST, HOST(40), 0xffff);
	add(HOST(50), HOST(60), 0xffff);
	classify(UP);
	assert_int_equal(context.burst.dest[0], SECOND);
	assert_int_equal(context.burst.dest[1], DEST_DROP + DROP_SAME_PORT);
	assert_int_equal(context.burst.dest[2], DEST_BROADCAST);
	assert_int_equal(context.burst.dest[3], SECOND);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(context.burst.source_port[i], MEMBER);
	assert_int_equal(context.burst.source_port[3], UP);
	assert_int_equal(lookup(fdb, HOST(40), 0), MEMBER);
	assert_int_equal(lookup(fdb, HOST(60), 0), UP);
	context.burst.n = 0;
}

/** Frames between ports that policies separate go via the uplink, or are dropped. */
static void
test_via_uplink(void **state)
{
	(void)state;
	member(MEMBER, POLICY_BRIDGE);
	member(SECOND, POLICY_VEPA);
	SECTION(&ports[FROM].config, policy)->isolated =
		SECTION(&ports[OTHER].config, policy)->isolated = true;
	publish();
	learn(fdb, HOST(FROM), 0, FROM);
	learn(fdb, HOST(OTHER), 0, OTHER);
	learn(fdb, HOST(SECOND), 0, SECOND);
	add(HOST(SECOND), HOST(70), 0xffff);
	add(HOST(FROM), HOST(70), 0xffff);
	check_dests(MEMBER, (const uint16_t[]){UP, UP});
	add(HOST(OTHER), HOST(71), 0xffff);
	add(HOST(SECOND), HOST(71), 0xffff);
	check_dests(FROM, (const uint16_t[]){DEST_DROP + DROP_POLICY, UP});
}

static void
flood(uint16_t from)
{
	memset(delivered, 0, sizeof(delivered));
	classify(from);
	forward_burst(&context);
	context.burst.n = 0;
}

static void
check_flood(uint16_t port, unsigned n, const uint16_t places[])
{
	if (delivered[port] != n)
		fail_msg("port %u got %u", port, delivered[port]);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(order[port][i], places[i]);
}

/** Frames of several VLANs in one burst, each to the ports that carry its VLAN, in order. */
static void
test_flood_by_vlan(void **state)
{
	(void)state;
	SECTION(&ports[OTHER].config, vlan)->vlan = 10;
	strcpy(SECTION(&ports[TAGGED].config, vlan)->trunk, "10,20");
	SECTION(&ports[UP].config, vlan)->vlan = SECTION(&ports[MEMBER].config, vlan)->vlan =
		SECTION(&ports[SECOND].config, vlan)->vlan = 30;
	strcpy(SECTION(&ports[LAST].config, vlan)->trunk, "20");
	publish();
	for (uint16_t i = 0; i < 6; i++)
		add(BROADCAST, HOST(1), i % 3 == 0 ? 10 : i % 3 == 1 ? 20 : 40);
	flood(FROM);
	check_flood(FROM, 0, NULL);
	check_flood(OTHER, 2, (const uint16_t[]){0, 3});
	check_flood(TAGGED, 4, (const uint16_t[]){0, 1, 3, 4});
	check_flood(UP, 0, NULL);
	check_flood(LAST, 2, (const uint16_t[]){1, 4});
	check_flood(IDLE, 0, NULL);
	const struct counters *counters = &context.counters[FROM];
	assert_int_equal(counters->rx_forwarded, 4);
	assert_int_equal(counters->rx_copies, 8);
	assert_int_equal(counters->rx_drops[DROP_NO_TARGET], 2);
}

/** Port OTHER gets no unknown unicast, TAGGED no multicast. */
static void
check_flood_kinds(void)
{
	add(HOST(99), HOST(1), 0xffff);
	add(MULTICAST, HOST(1), 0xffff);
	add(BROADCAST, HOST(1), 0xffff);
	flood(FROM);
	check_flood(OTHER, 2, (const uint16_t[]){1, 2});
	check_flood(TAGGED, 2, (const uint16_t[]){0, 2});
	check_flood(LAST, 3, (const uint16_t[]){0, 1, 2});
}

static void
test_flood_keys(void **state)
{
	(void)state;
	SECTION(&ports[OTHER].config, flood)->flood = false;
	SECTION(&ports[TAGGED].config, flood)->mcast_flood = false;
	publish();
	check_flood_kinds();
	assert_int_equal(context.counters[FROM].rx_copies, 2 + 2 + 3 * 4);
	assert_null(snapshot->stages[FROM]);
	/* The same where all ports have rules. */
	SECTION(&ports[TAGGED].config, policy)->isolated = true;
	publish();
	assert_non_null(snapshot->stages[FROM]);
	check_flood_kinds();
}

/** One mbuf to a port that sends it tagged, to one that sends it unchanged, and to a third. */
static void
test_flood_references(void **state)
{
	const struct packet packet = {.dst = BROADCAST, .src = HOST(1), .payload = 10};
	struct frame *frame = &context.burst.frame[0];

	(void)state;
	SECTION(&ports[FROM].config, vlan)->vlan = SECTION(&ports[OTHER].config, vlan)->vlan = 10;
	publish();
	context.burst.n = 1;
	frame_from_mbuf(frame, packet_mbuf(eal_fixture_pool(), &packet, 0, 0));
	frame->index = 0;
	flood(FROM);
	for (uint16_t port = OTHER; port <= LAST; port++)
		check_flood(port, 1, (const uint16_t[]){0});
}

#define ingress_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ingress_test(test_membership),
		ingress_test(test_learning_off),
		ingress_test(test_bad_sources),
		ingress_test(test_reserved),
		ingress_test(test_header_runs),
		ingress_test(test_fixed),
		ingress_test(test_reflected),
		ingress_test(test_via_uplink),
		ingress_test(test_flood_by_vlan),
		ingress_test(test_flood_keys),
		ingress_test(test_flood_references),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
