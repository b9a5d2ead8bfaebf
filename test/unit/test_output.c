/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Output: the order of egress stages of a port, copies for other ports, frames that the driver
 * drops.
 */
#include "unit.h"

#include <string.h>

#include "datapath/output.h"
#include "datapath/snapshot.h"
#include "port/send.h"

enum { PORT = 3, PROBE = 5, N = 6, LIMIT = 100 };

static struct burst_context context;
static struct snapshot snapshot;
static char calls[256];  /**< a word for each call of a stage or driver */
static uint16_t refused; /**< frames at the end that the driver drops */
static uint16_t most;    /**< frames that the first stage takes at once */
static uint8_t fate[N];  /**< reported to done(), by number of the frame */
static unsigned n_dropped;

static void
note(const char *word, uint16_t port, uint16_t n)
{
	size_t used = strlen(calls);

	snprintf(calls + used, sizeof(calls) - used, "%s%s%u:%u", used > 0 ? " " : "", word, port,
		n);
}

static void
driver_tx(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	uint16_t sent = n - RTE_MIN(refused, n);

	(void)lcore_id;
	note("tx", (uint16_t)(uintptr_t)dev, n);
	counters->tx_packets += sent;
	send_drop(frames + sent, n - sent, DROP_TX_FULL, counters);
}

static void
first_run(struct output *output, const void *state)
{
	(void)state;
	if (output->n > most)
		output->n = output->taken = most;
	note("first", output->port, output->n);
}

static void
copy_run(struct output *output, const void *state)
{
	const uint16_t *to = state;

	note("copy", output->port, output->n);
	output_copy(output->context, *to, output->frame, output->n);
}

static void
last_run(struct output *output, const void *state)
{
	(void)state;
	note("last", output->port, output->n);
}

static void
last_done(struct output *output, const void *state)
{
	(void)state;
	note("done", output->port, output->n);
	for (uint16_t i = 0; i < output->n; i++)
		fate[output->frame[i]->index] = output->frame[i]->tx_drop;
	for (uint16_t i = 0; i < output->n_dropped; i++)
		fate[output->dropped[i]->index] = output->dropped[i]->tx_drop;
	n_dropped += output->n_dropped;
}

static const uint16_t probe = PROBE;
static const struct egress_stage stages[] = {{.run = first_run}, {.run = output_length_stage},
	{.run = copy_run, .state = &probe}, {.run = last_run, .done = last_done}, {0}};
static const struct egress_stage copy_stages[] = {
	{.run = output_length_stage}, {.run = last_run, .done = last_done}, {0}};

static int
setup(void **state)
{
	static const uint8_t head[FRAME_ETH_LEN];

	(void)state;
	memset(&context, 0, sizeof(context));
	memset(&snapshot, 0, sizeof(snapshot));
	memset(fate, 0, sizeof(fate));
	calls[0] = '\0';
	refused = 0;
	most = FRAME_BURST;
	n_dropped = 0;
	context.snapshot = &snapshot;
	for (uint16_t id = PORT; id <= PROBE; id += PROBE - PORT)
		snapshot.target[id] = (struct snapshot_target){.tx = driver_tx,
			.dev = (void *)(uintptr_t)id,
			.max_len = LIMIT,
			.stages = stages,
			.copy_stages = copy_stages};
	context.burst.n = N;
	for (uint16_t i = 0; i < N; i++)
		context.burst.frame[i] = (struct frame){
			.head = head, .head_len = sizeof(head), .len = 60, .index = i};
	return 0;
}

static void
send_all(void)
{
	struct frame *frames[N];

	for (unsigned i = 0; i < N; i++)
		frames[i] = &context.burst.frame[i];
	(void)burst_measure(&context.burst);
	output_frames(&context, PORT, frames, N, true);
}

static void
test_in_order(void **state)
{
	(void)state;
	send_all();
	assert_string_equal(calls, "first3:6 copy3:6 last3:6 last5:6 tx5:6 done5:6 tx3:6 done3:6");
	assert_int_equal(context.counters[PORT].tx_packets, N);
	assert_int_equal(context.counters[PROBE].tx_packets, N);
	assert_int_equal(context.n_copies, 0);
}

/** A port without stages: the driver alone. */
static void
test_plain(void **state)
{
	(void)state;
	snapshot.target[PORT].plain_limit = LIMIT + 1;
	send_all();
	assert_string_equal(calls, "tx3:6");
}

/** A stage that takes a part of the frames gets the rest in a next run. */
static void
test_in_parts(void **state)
{
	(void)state;
	most = 4;
	snapshot.target[PORT].stages = copy_stages;
	send_all();
	assert_string_equal(calls, "last3:6 tx3:6 done3:6");
	calls[0] = '\0';
	snapshot.target[PORT].stages = stages;
	send_all();
	assert_string_equal(calls, "first3:4 copy3:4 last3:4 last5:4 tx5:4 done5:4 tx3:4 done3:4 "
				   "first3:2 copy3:2 last3:2 last5:2 tx5:2 done5:2 tx3:2 done3:2");
}

/** Each frame that the driver drops has the reason; drops of the mirror are not reported. */
static void
test_dropped_by_driver(void **state)
{
	(void)state;
	refused = 2;
	send_all();
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(fate[i], i < N - 2 ? FRAME_SENT : DROP_TX_FULL);
	assert_int_equal(context.counters[PORT].tx_drops[DROP_TX_FULL], 2);
	assert_int_equal(context.counters[PROBE].tx_drops[DROP_TX_FULL], 2);
}

/** Frames that are too long are reported to done() and reach no other further stage. */
static void
test_too_long(void **state)
{
	(void)state;
	context.burst.frame[1].len = context.burst.frame[4].len = LIMIT + 1;
	send_all();
	assert_string_equal(calls, "first3:6 copy3:4 last3:4 last5:4 tx5:4 done5:4 tx3:4 done3:4");
	assert_int_equal(fate[1], DROP_TOO_LONG);
	assert_int_equal(fate[4], DROP_TOO_LONG);
	assert_int_equal(n_dropped, 2);
	assert_int_equal(context.counters[PORT].tx_drops[DROP_TOO_LONG], 2);
	assert_int_equal(context.counters[PORT].tx_packets, N - 2);
}

/** The stages of a port that is down run, without frames. */
static void
test_down(void **state)
{
	(void)state;
	snapshot.target[PORT].tx = NULL;
	send_all();
	assert_string_equal(calls, "first3:0 copy3:0 last3:0 done3:0");
	assert_int_equal(n_dropped, N);
	assert_int_equal(context.counters[PORT].tx_drops[DROP_LINK_DOWN], N);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_in_order, setup),
		cmocka_unit_test_setup(test_plain, setup),
		cmocka_unit_test_setup(test_in_parts, setup),
		cmocka_unit_test_setup(test_dropped_by_driver, setup),
		cmocka_unit_test_setup(test_too_long, setup),
		cmocka_unit_test_setup(test_down, setup),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
