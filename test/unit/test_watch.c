/* SPDX-License-Identifier: BSD-3-Clause */
/* Which queues a lane polls: all at first, then those that have frames; the others are watched. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "datapath/watch.h"
#include "eal_fixture.h"

enum { QUEUES = 2 * WATCH_FEW, ERA = 5, NEVER_WATCHED = 3 };

/** A queue whose sender counts what it made available. */
struct sender {
	uint16_t made;
	uint16_t taken;
};

static struct sender senders[QUEUES];
static struct snapshot_poll polls[QUEUES];
static struct snapshot snapshots[2];
static struct snapshot_lane lane;
static struct watch *watch;
static uint64_t now;

static bool
sender_watch(void *dev, uint16_t queue, struct port_watch *word)
{
	struct sender *sender = dev;

	(void)queue;
	*word = (struct port_watch){&sender->made, sender->taken};
	return sender->made == sender->taken;
}

static int
setup(void **state)
{
	memset(senders, 0, sizeof(senders));
	for (uint16_t i = 0; i < QUEUES; i++)
		polls[i] = (struct snapshot_poll){
			.dev = &senders[i], .rx_watch = i == NEVER_WATCHED ? NULL : sender_watch};
	lane = (struct snapshot_lane){.polls = QUEUES, .poll = polls};
	watch = calloc(1, sizeof(*watch));
	now = rte_get_tsc_hz();
	return watch != NULL ? eal_test_setup(state) : -1;
}

static int
teardown(void **state)
{
	free(watch);
	return eal_test_teardown(state);
}

/** A round as the poll stage does it. @return bits of the queues polled */
static uint32_t
poll_round(uint64_t era)
{
	uint32_t polled = 0, place = 0;

	watch_update(watch, &snapshots[0], &lane, era, now++);
	while (place < watch->n_hot) {
		struct sender *sender = &senders[watch->hot[place]];

		polled |= UINT32_C(1) << watch->hot[place];
		if (sender->made == sender->taken) {
			place += watch_found_nothing(watch, &lane, place);
			continue;
		}
		sender->taken = sender->made;
		watch_found_frames(watch, place++);
	}
	return polled;
}

static void
run_rounds(unsigned rounds)
{
	while (rounds-- > 0)
		poll_round(ERA);
}

static void
watch_soon(void)
{
	now += watch->period + 1;
}

static const uint32_t everything = (UINT32_C(1) << QUEUES) - 1, always = 1 << NEVER_WATCHED;

static void
test_long_empty(void **state)
{
	(void)state;
	for (unsigned round = 0; round < WATCH_EMPTY; round++)
		assert_int_equal(poll_round(ERA), everything);
	assert_int_equal(poll_round(ERA), always);
}

static void
test_busy_stays(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3 * WATCH_EMPTY; round++) {
		senders[7].made += round % 100 == 0;
		poll_round(ERA);
	}
	assert_int_equal(poll_round(ERA), always | 1 << 7);
}

static void
test_frames_wake(void **state)
{
	(void)state;
	run_rounds(WATCH_EMPTY);
	senders[0].made++;
	senders[QUEUES - 1].made += 300;
	watch_soon();
	assert_int_equal(poll_round(ERA), always | 1 | 1 << (QUEUES - 1));
	assert_int_equal(senders[0].taken, 1);
	run_rounds(WATCH_EMPTY);
	assert_int_equal(poll_round(ERA), always);
}

/** Rounds of a few cycles each until a queue is polled. @return cycles */
static uint64_t
cycles_until_polled(unsigned queue)
{
	uint64_t since = now;

	while ((poll_round(ERA) & 1U << queue) == 0)
		now += 9;
	return now - since;
}

/* Words are read now and then, not in every round: each once in a period. */
static void
test_period(void **state)
{
	uint64_t most = 0;

	(void)state;
	run_rounds(WATCH_EMPTY + 1);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned queue = NEVER_WATCHED + 1 + i % (QUEUES - NEVER_WATCHED - 1);
		now += i * 97;
		poll_round(ERA);
		senders[queue].made++;
		uint64_t cycles = cycles_until_polled(queue);
		most = cycles > most ? cycles : most;
		run_rounds(WATCH_EMPTY);
	}
	assert_uint_in_range(most, watch->period * 7 / 10, watch->period + 20);
}

/* Some queues are busy again: the others are not forgotten. */
static void
test_others_move(void **state)
{
	(void)state;
	for (unsigned first = 0; first < QUEUES; first++) {
		run_rounds(2 * WATCH_EMPTY);
		now += first * watch->period / QUEUES;
		for (unsigned i = 0; i < QUEUES; i += 1 + first % 3)
			senders[(first + i) % QUEUES].made++;
		for (uint64_t end = now + watch->period + 20; now < end; now += 9)
			poll_round(ERA);
		for (unsigned i = 0; i < QUEUES; i++)
			assert_int_equal(senders[i].made, senders[i].taken);
	}
}

/* Time stood still for a lane that was not run: then all are due at once. */
static void
test_after_long(void **state)
{
	(void)state;
	run_rounds(WATCH_EMPTY + 1);
	for (unsigned i = 0; i < QUEUES; i++)
		senders[i].made++;
	now += 1000 * watch->period;
	assert_int_equal(poll_round(ERA), everything);
}

/* What was watched may be gone: nothing of it is read any more. */
static void
test_another_era(void **state)
{
	(void)state;
	run_rounds(WATCH_EMPTY);
	for (uint32_t i = 0; i < watch->n_cold; i++)
		watch->cold[i].word = NULL;
	watch_soon();
	assert_int_equal(poll_round(ERA + 1), everything);
}

static void
test_another_snapshot(void **state)
{
	(void)state;
	run_rounds(WATCH_EMPTY);
	lane.polls--;
	watch_soon();
	watch_update(watch, &snapshots[1], &lane, ERA, now);
	assert_int_equal(watch->n_hot, QUEUES - 1);
	assert_int_equal(watch->n_cold, 0);
}

/* A short first frame of few queues is worth more than the cycles. */
static void
test_few(void **state)
{
	(void)state;
	lane.polls = WATCH_FEW;
	run_rounds(2 * WATCH_EMPTY);
	assert_int_equal(poll_round(ERA), (1 << WATCH_FEW) - 1);
}

/* Frames that came between the last poll and the look. */
static void
test_not_empty_after_all(void **state)
{
	(void)state;
	run_rounds(WATCH_EMPTY - 1);
	for (unsigned i = 0; i < QUEUES; i++)
		senders[i].taken = UINT16_MAX; /* a poll takes nothing, though there is something */
	watch_update(watch, &snapshots[0], &lane, ERA, now);
	assert_true(watch_found_nothing(watch, &lane, 0));
	assert_int_equal(watch->n_hot, QUEUES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_long_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_period, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_after_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_era, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_empty_after_all, setup, teardown),
	};
	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
