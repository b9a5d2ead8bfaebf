/* SPDX-License-Identifier: BSD-3-Clause */
/* The queues that an lcore polls: all at first, then those with frames; the others are idle. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "datapath/poll_list.h"
#include "eal_fixture.h"

enum { QUEUES = 2 * POLL_LIST_FEW, WAKE_SEQ = 5, NEVER_WATCHED = 3 };

/** A queue with a count of the frames made available. */
struct sender {
	uint16_t made;
	uint16_t taken;
};

static struct sender senders[QUEUES];
static struct snapshot_poll polls[QUEUES];
static struct snapshot snapshots[2];
static struct snapshot_lcore lcore;
static struct poll_list *list;
static uint64_t now;

static bool
sender_watch(void *dev, uint16_t queue, struct port_monitor *word)
{
	struct sender *sender = dev;

	(void)queue;
	*word = (struct port_monitor){&sender->made, sender->taken};
	return sender->made == sender->taken;
}

static int
setup(void **state)
{
	memset(senders, 0, sizeof(senders));
	for (uint16_t i = 0; i < QUEUES; i++)
		polls[i] = (struct snapshot_poll){
			.dev = &senders[i], .rx_monitor = i == NEVER_WATCHED ? NULL : sender_watch};
	lcore = (struct snapshot_lcore){.polls = QUEUES, .poll = polls};
	list = calloc(1, sizeof(*list));
	now = rte_get_tsc_hz();
	return list != NULL ? eal_test_setup(state) : -1;
}

static int
teardown(void **state)
{
	free(list);
	return eal_test_teardown(state);
}

/** A round as the poll stage does it. @return bits of the queues polled */
static uint32_t
poll_round(uint64_t wake_seq)
{
	uint32_t polled = 0, index = 0;

	poll_list_update(list, &snapshots[0], &lcore, wake_seq, now++);
	while (index < list->n_active) {
		struct sender *sender = &senders[list->active[index]];

		polled |= UINT32_C(1) << list->active[index];
		if (sender->made == sender->taken) {
			index += poll_list_polled_empty(list, &lcore, index);
			continue;
		}
		sender->taken = sender->made;
		poll_list_polled_frames(list, index++);
	}
	return polled;
}

static void
run_rounds(unsigned rounds)
{
	while (rounds-- > 0)
		poll_round(WAKE_SEQ);
}

static void
watch_soon(void)
{
	now += list->period + 1;
}

static const uint32_t everything = (UINT32_C(1) << QUEUES) - 1, always = 1 << NEVER_WATCHED;

static void
test_long_empty(void **state)
{
	(void)state;
	for (unsigned round = 0; round < POLL_LIST_EMPTY; round++)
		assert_int_equal(poll_round(WAKE_SEQ), everything);
	assert_int_equal(poll_round(WAKE_SEQ), always);
}

static void
test_busy_stays(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3 * POLL_LIST_EMPTY; round++) {
		senders[7].made += round % 100 == 0;
		poll_round(WAKE_SEQ);
	}
	assert_int_equal(poll_round(WAKE_SEQ), always | 1 << 7);
}

static void
test_frames_wake(void **state)
{
	(void)state;
	run_rounds(POLL_LIST_EMPTY);
	senders[0].made++;
	senders[QUEUES - 1].made += 300;
	watch_soon();
	assert_int_equal(poll_round(WAKE_SEQ), always | 1 | 1 << (QUEUES - 1));
	assert_int_equal(senders[0].taken, 1);
	run_rounds(POLL_LIST_EMPTY);
	assert_int_equal(poll_round(WAKE_SEQ), always);
}

/** Rounds of a few cycles each until a queue is polled. @return cycles */
static uint64_t
cycles_until_polled(unsigned queue)
{
	uint64_t since = now;

	while ((poll_round(WAKE_SEQ) & 1U << queue) == 0)
		now += 9;
	return now - since;
}

/* The words of idle queues are read once in a period, not in every round. */
static void
test_period(void **state)
{
	uint64_t most = 0;

	(void)state;
	run_rounds(POLL_LIST_EMPTY + 1);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned queue = NEVER_WATCHED + 1 + i % (QUEUES - NEVER_WATCHED - 1);
		now += i * 97;
		poll_round(WAKE_SEQ);
		senders[queue].made++;
		uint64_t cycles = cycles_until_polled(queue);
		most = cycles > most ? cycles : most;
		run_rounds(POLL_LIST_EMPTY);
	}
	assert_uint_in_range(most, list->period * 7 / 10, list->period + 20);
}

/* Some queues are active again: frames in the others are still noticed. */
static void
test_others_active(void **state)
{
	(void)state;
	for (unsigned first = 0; first < QUEUES; first++) {
		run_rounds(2 * POLL_LIST_EMPTY);
		now += first * list->period / QUEUES;
		for (unsigned i = 0; i < QUEUES; i += 1 + first % 3)
			senders[(first + i) % QUEUES].made++;
		for (uint64_t end = now + list->period + 20; now < end; now += 9)
			poll_round(WAKE_SEQ);
		for (unsigned i = 0; i < QUEUES; i++)
			assert_int_equal(senders[i].made, senders[i].taken);
	}
}

/* An lcore that was not scheduled for long reads all words in its next round. */
static void
test_after_long(void **state)
{
	(void)state;
	run_rounds(POLL_LIST_EMPTY + 1);
	for (unsigned i = 0; i < QUEUES; i++)
		senders[i].made++;
	now += 1000 * list->period;
	assert_int_equal(poll_round(WAKE_SEQ), everything);
}

/* The words may be unmapped: none is read after a wake. */
static void
test_wake(void **state)
{
	(void)state;
	run_rounds(POLL_LIST_EMPTY);
	for (uint32_t i = 0; i < list->n_idle; i++)
		list->idle[i].word = NULL;
	watch_soon();
	assert_int_equal(poll_round(WAKE_SEQ + 1), everything);
}

static void
test_another_snapshot(void **state)
{
	(void)state;
	run_rounds(POLL_LIST_EMPTY);
	lcore.polls--;
	watch_soon();
	poll_list_update(list, &snapshots[1], &lcore, WAKE_SEQ, now);
	assert_int_equal(list->n_active, QUEUES - 1);
	assert_int_equal(list->n_idle, 0);
}

/* An lcore with few queues polls all of them, for a short latency of the first frame. */
static void
test_few(void **state)
{
	(void)state;
	lcore.polls = POLL_LIST_FEW;
	run_rounds(2 * POLL_LIST_EMPTY);
	assert_int_equal(poll_round(WAKE_SEQ), (1 << POLL_LIST_FEW) - 1);
}

/* Frames that arrived between the last poll and the check of the word. */
static void
test_frames_after_last_poll(void **state)
{
	(void)state;
	run_rounds(POLL_LIST_EMPTY - 1);
	for (unsigned i = 0; i < QUEUES; i++)
		senders[i].taken =
			UINT16_MAX; /* the poll takes nothing, although a frame is available */
	poll_list_update(list, &snapshots[0], &lcore, WAKE_SEQ, now);
	assert_true(poll_list_polled_empty(list, &lcore, 0));
	assert_int_equal(list->n_active, QUEUES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_long_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_period, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_active, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_after_last_poll, setup, teardown),
	};
	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
