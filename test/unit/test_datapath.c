/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polling threads on the last CPUs that this process may use: a port that sends numbered frames on
 * several queues, two ports that check the numbers, and a control thread that publishes one
 * snapshot after the other.
 */
#include "unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datapath/datapath.h"
#include "datapath/snapshot.h"
#include "eal_fixture.h"
#include "fdb/fdb.h"
#include "lcore/topology.h"
#include "features/table.h"
#include "packets.h"

/* The frames of the last queue are broadcast, the others go to one port. */
enum { QUEUES = 3, BROADCASTS = QUEUES - 1 };
enum { SOURCE, SINK, SWITCHED, PORTS };
enum { UP_ALL = 7, LEN = 64, NO_LCORE = -1 };

/** Offsets of the queue and the number in a frame. */
enum { QUEUE_AT = 14, NUMBER_AT = 16 };

/** A port. Numbers are per queue of the source, written by the lcore that polls that queue. */
struct end {
	_Atomic uint32_t sent[QUEUES];
	_Atomic uint32_t next[QUEUES];
	atomic_int lcore_id[QUEUES]; /**< the lcore that polled the queue last */
	_Atomic uint32_t wrong;
	bool gaps; /**< frames may be missing, but not duplicated or out of order */
};

static struct end ends[PORTS];
static struct port ports[PORTS];
static struct datapath *datapath;
static struct fdb *fdb;

static struct rte_mbuf *
make_mbuf(uint16_t queue, uint32_t number)
{
	static const uint8_t unicast[QUEUE_AT] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(eal_fixture_pool());

	if (mbuf == NULL)
		return NULL;
	uint8_t *bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
	mbuf->data_len = mbuf->pkt_len = LEN;
	memset(bytes, 0, LEN);
	memcpy(bytes, unicast, sizeof(unicast));
	if (queue == BROADCASTS)
		memset(bytes, 0xff, MAC_BYTES);
	packet_put16(bytes + QUEUE_AT, queue);
	packet_put32(bytes + NUMBER_AT, number);
	return mbuf;
}

static uint16_t
end_rx(void *dev, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	struct end *end = dev;
	uint32_t sent = atomic_load(&end->sent[queue]);
	uint16_t want = RTE_MIN(n, sent % 7 == 0 ? n : 1 + sent % FRAME_BURST);
	uint16_t made = 0;

	(void)counters;
	atomic_store(&end->lcore_id[queue], lcore_id);
	while (made < want) {
		struct rte_mbuf *mbuf = make_mbuf(queue, sent + made);
		if (mbuf == NULL)
			break;
		frame_from_mbuf(&frames[made++], mbuf);
	}
	atomic_store(&end->sent[queue], sent + made);
	return made;
}

static void
end_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct end *end = dev;

	(void)lcore_id;
	for (uint16_t i = 0; i < n; i++) {
		uint16_t queue = packet_get16(frames[i]->head + QUEUE_AT);
		uint32_t number = packet_get32(frames[i]->head + NUMBER_AT);
		uint32_t next = atomic_load(&end->next[queue]);
		end->wrong += end->gaps ? number < next : number != next;
		atomic_store(&end->next[queue], number + 1);
		counters->tx_bytes += frames[i]->len;
	}
	counters->tx_packets += n;
	frame_free(frames, n);
}

/** Whether the driver leaves work for the end of the round, and how often it did. */
static atomic_bool leaves;
static atomic_uint rounds_left;

/** Ends of rounds, by lcore. */
static atomic_uint rounds[LCORE_MAX];

static bool
end_round_done(uint16_t lcore_id, uint64_t now, bool busy)
{
	(void)now, (void)busy;
	atomic_fetch_add(&rounds[lcore_id], 1);
	atomic_fetch_add(&rounds_left, atomic_load(&leaves));
	return !atomic_load(&leaves);
}

static const struct port_type type = {.name = "end"};
static const struct port_driver end_driver = {
	.type = &type, .rx = end_rx, .tx = end_tx, .round_done = end_round_done};
static const struct port_driver *const drivers[] = {&end_driver, NULL};

static int
setup(void **state)
{
	memset(ends, 0, sizeof(ends));
	ends[SWITCHED].gaps = true;
	for (uint16_t i = 0; i < PORTS; i++) {
		ports[i] = (struct port){
			.config.driver = &end_driver, .id = i, .dev = &ends[i], .max_len = 1514};
		port_config_defaults(&ports[i].config);
	}
	fdb = fdb_create(&(struct fdb_config){.capacity = 64});
	if (fdb == NULL)
		return -1;
	fdb_age(fdb, 0);
	fdb_add_static(fdb, UINT64_C(0x020000000002), 0, SINK);
	datapath = datapath_create(fdb, drivers);
	return datapath != NULL ? eal_test_setup(state) : -1;
}

static int
teardown(void **state)
{
	datapath_destroy(datapath);
	fdb_destroy(fdb);
	return eal_test_teardown(state);
}

/** The nth last CPU that this process may use; -1 if there are fewer. */
static int
cpu_from_last(int nth)
{
	cpu_set_t allowed;

	assert_int_equal(topology_allowed(&allowed), 0);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			return cpu;
	return -1;
}

static int
start(int nth)
{
	struct err err = {0};
	int lcore_id = datapath_start(datapath, (unsigned)cpu_from_last(nth), &err);

	if (lcore_id < 0)
		fail_msg("%s", err.text);
	return lcore_id;
}

/** Publish the lcore of each queue of the source, and the ports that are up. */
static void
publish(const int lcores[QUEUES], unsigned up)
{
	static struct port *by_id[PORT_MAX];
	static bool is_up[PORT_MAX];
	struct snapshot_queue queues[QUEUES];

	for (unsigned i = 0; i < PORTS; i++) {
		by_id[i] = &ports[i];
		is_up[i] = up >> i & 1;
	}
	for (uint16_t q = 0; q < QUEUES; q++)
		queues[q] = (struct snapshot_queue){.port = &ports[SOURCE],
			.queue = q,
			.slot = (uint16_t)(100 + q),
			.lcore_id = lcores[q],
			.active = true};
	struct snapshot *snapshot = snapshot_build(features, NULL, by_id, is_up, queues, QUEUES);
	assert_non_null(snapshot);
	datapath_publish(datapath, snapshot);
}

static const int by_no_lcore[QUEUES] = {NO_LCORE, NO_LCORE, NO_LCORE};

/** Wait until every queue that is polled has sent n more frames. */
static void
flow(const int lcores[QUEUES], uint32_t frames)
{
	const struct timespec pause = {.tv_nsec = 200000};
	time_t give_up = time(NULL) + 20;

	for (unsigned q = 0; q < QUEUES; q++) {
		uint32_t until = ends[SOURCE].sent[q] + frames;
		while (lcores[q] != NO_LCORE && ends[SOURCE].sent[q] < until) {
			nanosleep(&pause, NULL);
			assert_true(time(NULL) < give_up);
		}
	}
}

static uint32_t
sent_in_all(void)
{
	uint32_t sum = 0;

	for (unsigned q = 0; q < QUEUES; q++)
		sum += ends[SOURCE].sent[q];
	return sum;
}

/** At rest: every frame arrived once, in order, and all counters agree. */
static void
check_rest(void)
{
	uint32_t sent = sent_in_all(), floods = ends[SOURCE].sent[BROADCASTS];
	struct counters source, sink, switched;

	datapath_counters(datapath, SOURCE, &source);
	datapath_counters(datapath, SINK, &sink);
	datapath_counters(datapath, SWITCHED, &switched);
	for (unsigned q = 0; q < QUEUES; q++)
		assert_int_equal(ends[SINK].next[q], ends[SOURCE].sent[q]);
	assert_int_equal(ends[SINK].wrong, 0);
	assert_int_equal(ends[SWITCHED].wrong, 0);
	assert_int_equal(ends[SWITCHED].next[0] + ends[SWITCHED].next[1], 0);
	assert_int_equal(source.rx_packets, sent);
	assert_int_equal(source.rx_bytes, (uint64_t)sent * LEN);
	assert_int_equal(source.rx_forwarded, sent);
	assert_int_equal(counters_drops(source.rx_drops), 0);
	assert_int_equal(sink.tx_packets, sent);
	assert_int_equal(source.rx_copies, sent + switched.tx_packets);
	assert_uint_in_range(switched.tx_packets, 0, floods);
	assert_int_equal(counters_drops(sink.tx_drops) + counters_drops(switched.tx_drops), 0);
	assert_true(rte_mempool_full(eal_fixture_pool()));
}

static void
test_start_and_stop(void **state)
{
	(void)state;
	assert_int_equal(start(0), 0);
	assert_false(datapath_owns_thread(gettid(), datapath));
	datapath_quiesce(datapath);
	datapath_stop(datapath, 0);
	datapath_stop(datapath, 0);
	datapath_stop(datapath, LCORE_MAX - 1);
	datapath_quiesce(datapath);
	assert_int_equal(start(0), 0);
	assert_int_equal(start(0), 1);
	datapath_stop(datapath, 0);
	assert_int_equal(start(0), 0);
	datapath_destroy(NULL);
}

static void
test_start_without_cpu(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(datapath_start(datapath, CPU_SETSIZE - 1, &err), -EINVAL);
	assert_string_equal(err.text, "lcore 1023: cannot poll there: Invalid argument");
	assert_int_equal(start(0), 0);
}

static void
test_all_lcores(void **state)
{
	struct err err = {0};

	(void)state;
	for (int lcore_id = 0; lcore_id < LCORE_MAX; lcore_id++)
		assert_int_equal(start(0), lcore_id);
	assert_int_equal(datapath_start(datapath, (unsigned)cpu_from_last(0), &err), -EBUSY);
	assert_contains(err.text, "all 64 polling lcores are in use");
	datapath_stop(datapath, 17);
	assert_int_equal(start(0), 17);
	publish(by_no_lcore, UP_ALL);
}

static void
test_traffic(void **state)
{
	const int lcores[QUEUES] = {start(0), 0, 0};
	struct datapath_load load, slot;
	uint64_t packets = 0, busy = 0;

	(void)state;
	publish(lcores, UP_ALL);
	flow(lcores, 5000);
	publish(by_no_lcore, UP_ALL);
	check_rest();
	assert_int_equal(ends[SWITCHED].next[BROADCASTS], ends[SOURCE].sent[BROADCASTS]);
	datapath_lcore_load(datapath, 0, &load);
	for (uint16_t q = 0; q < QUEUES; q++) {
		datapath_slot_load(datapath, (uint16_t)(100 + q), &slot);
		assert_int_equal(slot.packets, ends[SOURCE].sent[q]);
		assert_int_equal(slot.idle_cycles, 0);
		packets += slot.packets;
		busy += slot.busy_cycles;
	}
	assert_int_equal(load.packets, packets);
	/* The ends of rounds belong to no queue. */
	assert_true(load.busy_cycles > busy && busy > 0);
}

static void *
quiesce(void *done)
{
	datapath_quiesce(datapath);
	atomic_store((atomic_bool *)done, true);
	return NULL;
}

/**
 * Work that a driver left for the end of the round uses the snapshot: a thread that waits for
 * quiescence waits for it.
 */
static void
test_work_after_round(void **state)
{
	static atomic_bool done;
	pthread_t thread;

	(void)state;
	assert_int_equal(start(0), 0);
	datapath_quiesce(datapath);
	atomic_store(&leaves, true);
	unsigned before = atomic_load(&rounds_left);
	while (atomic_load(&rounds_left) < before + 2)
		sched_yield();
	assert_int_equal(pthread_create(&thread, NULL, quiesce, &done), 0);
	before = atomic_load(&rounds_left);
	while (atomic_load(&rounds_left) < before + 100)
		sched_yield();
	assert_false(atomic_load(&done));
	atomic_store(&leaves, false);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&done));
}

/** Each running lcore, and no other, ends its rounds by its own id. */
static void
test_ends_of_rounds(void **state)
{
	(void)state;
	memset(rounds, 0, sizeof(rounds));
	start(0);
	start(0);
	while (atomic_load(&rounds[0]) < 2 || atomic_load(&rounds[1]) < 2)
		sched_yield();
	datapath_stop(datapath, 0);
	unsigned before = atomic_load(&rounds[0]), other = atomic_load(&rounds[1]);
	while (atomic_load(&rounds[1]) < other + 2)
		sched_yield();
	assert_int_equal(atomic_load(&rounds[0]), before);
	for (int lcore_id = 2; lcore_id < LCORE_MAX; lcore_id++)
		assert_int_equal(atomic_load(&rounds[lcore_id]), 0);
}

/** The counters of an lcore persist and continue when it starts again; its load starts at 0. */
static void
test_counters_persist(void **state)
{
	const int lcores[QUEUES] = {start(0), 0, 0};
	struct datapath_load load;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		publish(lcores, UP_ALL);
		flow(lcores, 100);
		publish(by_no_lcore, UP_ALL);
		datapath_stop(datapath, 0);
		check_rest();
		assert_int_equal(start(0), 0);
		datapath_lcore_load(datapath, 0, &load);
		assert_int_equal(load.packets, 0);
	}
}

static void
test_swaps(void **state)
{
	const int lcore_id = start(0), lcores[QUEUES] = {lcore_id, lcore_id, lcore_id};

	(void)state;
	for (unsigned swap = 0; swap < 100; swap++) {
		publish(lcores, swap & 1 ? UP_ALL : UP_ALL & ~(1u << SWITCHED));
		flow(lcores, 32);
	}
	publish(by_no_lcore, UP_ALL);
	check_rest();
	assert_true(ends[SWITCHED].next[BROADCASTS] > 0);
}

/** Queues move between two lcores in two steps, polled by no lcore in between. */
static void
check_moves(unsigned moves)
{
	int lcores[QUEUES] = {0, 0, 1};

	for (unsigned move = 0; move < moves; move++) {
		int *lcore_id = &lcores[move % QUEUES], to = !*lcore_id;

		*lcore_id = NO_LCORE;
		publish(lcores, UP_ALL);
		*lcore_id = to;
		publish(lcores, UP_ALL);
		flow(lcores, 32);
		for (unsigned q = 0; q < QUEUES; q++)
			assert_int_equal(atomic_load(&ends[SOURCE].lcore_id[q]), lcores[q]);
	}
	publish(by_no_lcore, UP_ALL);
	check_rest();
}

static void
test_moves(void **state)
{
	bool two_cpus = cpu_from_last(1) >= 0;

	(void)state;
	start(0);
	start(two_cpus ? 1 : 0);
	check_moves(two_cpus ? 60 : 3);
}

/** A port goes down: frames to it are dropped and counted. */
static void
test_link_down(void **state)
{
	const int lcores[QUEUES] = {start(0), 0, NO_LCORE};
	struct counters source, sink;

	(void)state;
	publish(lcores, UP_ALL);
	flow(lcores, 100);
	publish(lcores, 1 << SOURCE);
	flow(lcores, 100);
	publish(by_no_lcore, UP_ALL);
	datapath_counters(datapath, SOURCE, &source);
	datapath_counters(datapath, SINK, &sink);
	assert_int_equal(source.rx_packets, sent_in_all());
	assert_int_equal(source.rx_copies, source.rx_packets);
	assert_int_equal(sink.tx_packets + sink.tx_drops[DROP_LINK_DOWN], source.rx_packets);
	assert_uint_in_range(sink.tx_packets, 200, source.rx_packets - 200);
}

#define datapath_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		datapath_test(test_start_and_stop),
		datapath_test(test_start_without_cpu),
		datapath_test(test_all_lcores),
		datapath_test(test_traffic),
		datapath_test(test_counters_persist),
		datapath_test(test_swaps),
		datapath_test(test_moves),
		datapath_test(test_link_down),
		datapath_test(test_work_after_round),
		datapath_test(test_ends_of_rounds),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
