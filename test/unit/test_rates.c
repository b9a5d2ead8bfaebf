/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates and rx quotas in rounds of a polling lcore: ports that always have frames, ports that
 * count.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/worker.h"
#include "eal_fixture.h"
#include "feature_state.h"
#include "lcore/pool.h"
#include "features/table.h"
#include "packets.h"
#include "sections.h"

enum { SINK, NEIGHBOUR, QUOTA, PORTS };
enum { QUEUES = 128, LCORE_ID = 0, LEN = 1000, ROUNDS = 640, SPACE = 64 };

/** 02:00:00:00:00:n, as mac_load() has it. */
#define MAC(n) (2 | (uint64_t)(n) << 40)

/** A port: bursts received from each of its queues, frames sent to it. */
struct end {
	unsigned bursts[QUEUES];
	unsigned busy;  /**< queues from the first on that have frames */
	uint16_t burst; /**< frames in a burst */
	unsigned got;
	uint32_t last;
	uint64_t source;
};

static struct end ends[PORTS];
static struct port ports[PORTS];
static struct port *by_id[PORT_MAX];
static bool up[PORT_MAX];
static struct snapshot_queue queues[QUEUES + 1];
static unsigned n_queues;
static struct worker *worker;
static struct snapshot *snapshot;
static struct fdb *fdb;
static _Atomic uint64_t wake_seq;
static struct port_services services;
static uint32_t numbers;

static uint16_t
end_rx(void *dev, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	struct end *end = dev;

	(void)lcore_id;
	(void)counters;
	if (queue >= end->busy)
		return 0;
	end->bursts[queue]++;
	for (uint16_t i = 0; i < RTE_MIN(n, end->burst); i++) {
		const struct packet packet = {.dst = MAC(SINK),
			.src = end->source,
			.seq = ++numbers,
			.payload = LEN - 54};
		struct rte_mbuf *mbuf = packet_mbuf(eal_fixture_pool(), &packet, 0, 0);
		frame_from_mbuf(&frames[i], mbuf);
	}
	return RTE_MIN(n, end->burst);
}

static void
end_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct end *end = dev;

	(void)lcore_id;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t number = packet_get32(frames[i]->head + 38);
		assert_true(number > end->last);
		end->last = number;
		counters->tx_bytes += frames[i]->len;
	}
	end->got += n;
	counters->tx_packets += n;
	frame_free(frames, n);
}

static const struct port_type type = {.name = "end"};
static const struct port_driver end_driver = {.type = &type, .rx = end_rx, .tx = end_tx};
static const struct port_driver *const drivers[] = {&end_driver, NULL};

static void
publish(void)
{
	struct snapshot *old = snapshot;

	snapshot = snapshot_build(features, NULL, by_id, up, queues, n_queues);
	assert_non_null(snapshot);
	snapshot_free(old);
}

static void
add_queues(unsigned port, uint16_t n)
{
	for (uint16_t q = 0; q < n; q++, n_queues++)
		queues[n_queues] = (struct snapshot_queue){.port = &ports[port],
			.queue = q,
			.slot = (uint16_t)n_queues,
			.lcore_id = LCORE_ID,
			.active = true};
}

static int
setup(void **state)
{
	memset(ends, 0, sizeof(ends));
	n_queues = 0;
	services.senders = 1;
	numbers = 0;
	worker = calloc(1, sizeof(*worker));
	fdb = fdb_create(&(struct fdb_config){.capacity = 64});
	if (worker == NULL || fdb == NULL)
		return -1;
	fdb_age(fdb, 0);
	fdb_add_static(fdb, MAC(SINK), 0, SINK);
	worker->context.fdb = fdb;
	worker->drivers = drivers;
	worker->wake_seq = &wake_seq;
	worker->context.lcore_id = LCORE_ID;
	for (uint16_t i = 0; i < PORTS; i++) {
		ends[i] = (struct end){.burst = 1, .source = MAC(10 + i)};
		ports[i] = (struct port){.config.driver = &end_driver,
			.id = i,
			.services = &services,
			.dev = &ends[i],
			.numa_node = -1,
			.max_len = 1514};
		port_config_defaults(&ports[i].config);
		by_id[i] = &ports[i];
		up[i] = true;
	}
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	snapshot_free(snapshot);
	snapshot = NULL;
	for (uint16_t i = 0; i < PORTS; i++) {
		features_close_all(&ports[i]);
	}
	fdb_destroy(fdb);
	free(worker);
	return eal_test_teardown(state);
}

static void
poll(unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		poll_round(worker, snapshot);
}

static unsigned
bursts_of(unsigned port)
{
	unsigned sum = 0;

	for (unsigned q = 0; q < QUEUES; q++)
		sum += ends[port].bursts[q];
	return sum;
}

/** A port with 128 queues that are all full, beside a port with one. */
static void
test_quota(void **state)
{
	(void)state;
	add_queues(QUOTA, QUEUES);
	add_queues(NEIGHBOUR, 1);
	ends[QUOTA].busy = QUEUES;
	ends[NEIGHBOUR].busy = 1;
	publish();
	assert_int_equal(snapshot->lcore[LCORE_ID].n_quotas, 1);
	poll(ROUNDS);
	assert_int_equal(ends[NEIGHBOUR].bursts[0], ROUNDS);
	assert_int_equal(bursts_of(QUOTA), ROUNDS * RX_QUOTA_BURSTS);
	for (unsigned q = 0; q < QUEUES; q++)
		assert_int_equal(ends[QUOTA].bursts[q], ROUNDS * RX_QUOTA_BURSTS / QUEUES);
}

/** Empty queues cost the busy queues of the port every second round at most. */
static void
test_quota_of_few(void **state)
{
	(void)state;
	add_queues(QUOTA, QUEUES);
	add_queues(NEIGHBOUR, 1);
	publish();
	for (unsigned busy = 1; busy < 10; busy++) {
		unsigned before = bursts_of(QUOTA), least = UINT32_MAX, most = 0;
		ends[QUOTA].busy = busy;
		poll(ROUNDS);
		unsigned bursts = bursts_of(QUOTA) - before;
		assert_uint_in_range(bursts, ROUNDS - 4, ROUNDS * RX_QUOTA_BURSTS);
		memset(ends[QUOTA].bursts, 0, sizeof(ends[QUOTA].bursts));
		poll(ROUNDS);
		for (unsigned q = 0; q < busy; q++) {
			least = RTE_MIN(least, ends[QUOTA].bursts[q]);
			most = RTE_MAX(most, ends[QUOTA].bursts[q]);
		}
		assert_uint_in_range(most - least, 0, 2);
	}
}

/** A single port, and a port with at most as many queues as bursts of the quota, have no quota. */
static void
test_no_quota(void **state)
{
	(void)state;
	add_queues(QUOTA, QUEUES);
	ends[QUOTA].busy = QUEUES;
	publish();
	poll(3);
	assert_int_equal(bursts_of(QUOTA), 3 * QUEUES);
	n_queues = 0;
	add_queues(QUOTA, RX_QUOTA_BURSTS);
	add_queues(NEIGHBOUR, RX_QUOTA_BURSTS);
	ends[NEIGHBOUR].busy = RX_QUOTA_BURSTS;
	publish();
	assert_int_equal(snapshot->lcore[LCORE_ID].n_quotas, 0);
	memset(ends[QUOTA].bursts, 0, sizeof(ends[QUOTA].bursts));
	poll(5);
	assert_int_equal(bursts_of(QUOTA), 5 * RX_QUOTA_BURSTS);
	assert_int_equal(bursts_of(NEIGHBOUR), 5 * RX_QUOTA_BURSTS);
}

static unsigned
learnt(unsigned port)
{
	return fdb_port_entries(fdb, (uint16_t)port);
}

/** So low a rate that no tokens are added during the test: only the burst passes. */
static void
limit_in(unsigned port, int64_t burst)
{
	SECTION(&ports[port].config, police)->rate_in = 1000;
	SECTION(&ports[port].config, police)->burst_in = burst;
	feature_state_open(&ports[port], publish);
}

static void
test_rate_in(void **state)
{
	const struct counters *from = &worker->context.counters[NEIGHBOUR];

	(void)state;
	add_queues(NEIGHBOUR, 1);
	ends[NEIGHBOUR].busy = 1;
	ends[NEIGHBOUR].burst = 8;
	limit_in(NEIGHBOUR, 9 * LEN + 1);
	for (services.senders = 1; services.senders <= 2; services.senders++)
		poll(2);
	/* Ten frames, since the last one may leave a debt. */
	assert_int_equal(from->rx_packets, 32);
	assert_int_equal(from->rx_bytes, 32 * LEN);
	assert_int_equal(from->rx_forwarded, 10);
	assert_int_equal(from->rx_drops[DROP_RATE], 22);
	assert_int_equal(ends[SINK].got, 10);
	assert_int_equal(ends[SINK].last, 10);
	assert_int_equal(worker->load.packets, 32);
}

/** The sources of dropped frames are not learnt. */
static void
test_rate_in_does_not_learn(void **state)
{
	(void)state;
	add_queues(NEIGHBOUR, 1);
	ends[NEIGHBOUR].busy = 1;
	ends[NEIGHBOUR].burst = 1;
	limit_in(NEIGHBOUR, 1);
	poll(1);
	assert_int_equal(learnt(NEIGHBOUR), 1);
	ends[NEIGHBOUR].source = MAC(99);
	poll(1);
	assert_int_equal(learnt(NEIGHBOUR), 1);
	assert_int_equal(worker->context.counters[NEIGHBOUR].rx_drops[DROP_RATE], 1);
}

/** Other ports have no limit; the limit ends with the next snapshot. */
static void
test_rate_in_of_one(void **state)
{
	(void)state;
	add_queues(NEIGHBOUR, 1);
	add_queues(QUOTA, 1);
	ends[NEIGHBOUR].busy = ends[QUOTA].busy = 1;
	limit_in(NEIGHBOUR, 1);
	assert_null(snapshot->stages[QUOTA]);
	poll(5);
	assert_int_equal(worker->context.counters[NEIGHBOUR].rx_forwarded, 1);
	assert_int_equal(worker->context.counters[QUOTA].rx_forwarded, 5);
	SECTION(&ports[NEIGHBOUR].config, police)->rate_in = 0;
	feature_state_open(&ports[NEIGHBOUR], publish);
	assert_null(snapshot->stages[NEIGHBOUR]);
	poll(5);
	assert_int_equal(worker->context.counters[NEIGHBOUR].rx_forwarded, 6);
}

static void
limit_out(int64_t bits)
{
	SECTION(&ports[SINK].config, shape)->rate_out = bits;
	SECTION(&ports[SINK].config, shape)->burst_out = 1;
	SECTION(&ports[SINK].config, shape)->queue_out = SPACE;
	feature_state_open(&ports[SINK], publish);
}

/** Delayed frames leave in later rounds of the lcore that polls the port, at the current rate. */
static void
test_rate_out(void **state)
{
	const struct counters *to = &worker->context.counters[SINK];

	(void)state;
	add_queues(NEIGHBOUR, 1);
	add_queues(SINK, 1);
	ends[NEIGHBOUR].busy = 1;
	ends[NEIGHBOUR].burst = 8;
	limit_out(1000);
	assert_int_equal(snapshot->lcore[LCORE_ID].n_drains, 1);
	poll(2);
	assert_int_equal(ends[SINK].got, 1);
	assert_int_equal(features_backlog(&ports[SINK]), 15);
	assert_int_equal(worker->context.counters[NEIGHBOUR].rx_copies,
		to->tx_packets + counters_drops(to->tx_drops) + 15);
	ends[NEIGHBOUR].busy = 0;
	poll(100);
	assert_int_equal(ends[SINK].got, 1);
	/* The limit is about to be removed; the backlog is sent in later rounds. */
	SECTION(&ports[SINK].config, shape)->rate_out = 0;
	ports[SINK].draining = true;
	publish();
	for (unsigned i = 0; i < 1000000 && ends[SINK].got < 16; i++)
		poll(1);
	assert_int_equal(ends[SINK].got, 16);
	assert_int_equal(to->tx_packets, 16);
	feature_state_open(&ports[SINK], publish);
	assert_null(snapshot->stages[SINK]);
}

/** The lcore that polls the port drains its shaper; no lcore does so while the port is down. */
static void
test_owner(void **state)
{
	(void)state;
	add_queues(NEIGHBOUR, 1);
	add_queues(SINK, 2);
	queues[1].lcore_id = 5;
	queues[2].lcore_id = 3;
	limit_out(1000);
	for (unsigned lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		assert_int_equal(snapshot->lcore[lcore_id].n_drains, lcore_id == 5);
	assert_ptr_equal(snapshot->lcore[5].drain[0].state, snapshot->stages[SINK]->drain_state);
	assert_int_equal(*snapshot->stages[SINK]->drain.owner, 5);
	queues[1].lcore_id = -1;
	publish();
	assert_int_equal(snapshot->lcore[5].n_drains, 0);
	assert_int_equal(*snapshot->stages[SINK]->drain.owner, LCORE_MAX);
	queues[1].lcore_id = LCORE_MAX - 1;
	publish();
	assert_int_equal(snapshot->lcore[LCORE_MAX - 1].n_drains, 1);
	up[SINK] = false;
	publish();
	assert_int_equal(snapshot->lcore[LCORE_MAX - 1].n_drains, 0);
}

static int
group_teardown(void **state)
{
	pool_free_all();
	return eal_group_teardown(state);
}

#define rates_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		rates_test(test_quota),
		rates_test(test_quota_of_few),
		rates_test(test_no_quota),
		rates_test(test_rate_in),
		rates_test(test_rate_in_does_not_learn),
		rates_test(test_rate_in_of_one),
		rates_test(test_rate_out),
		rates_test(test_owner),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, group_teardown);
}
