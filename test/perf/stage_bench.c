/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cycles per frame of each stage between two guests' rings, by frame size: pop from the sender's
 * ring, classify (learn and look up), forward (split by destination and check), push into the
 * receiver's ring, done (return the sender's buffers).
 *
 * One thread runs both guests and the switch, so that no cache lines move between cores and all
 * data are in the nearest caches: the cost of the instructions of each stage, without waiting for
 * memory. Medians of the rounds, with -j as JSON.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/forward.h"
#include "datapath/snapshot.h"
#include "features/table.h"
#include "rings.h"

enum {
	ROUNDS = 11,
	BURSTS = 20000,
};

enum stage { POP, CLASSIFY, FORWARD, PUSH, DONE, STAGES };

static const char *const stage_names[STAGES] = {"pop", "classify", "forward", "push", "done"};
static const uint32_t sizes[] = {64, 256, 512, 1024, 1518};

struct bench {
	struct side *from, *to;
	struct virtq_batch batch;
	struct snapshot *snapshot;
	struct burst_context context;
	struct frame *const *sent; /* frames that the last forward passed on */
	uint16_t n_sent;
	double cycles[STAGES][ROUNDS];
};

static struct bench bench;

static void
keep_frames(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	static struct frame *kept[FRAME_BURST];

	(void)dev, (void)lcore_id, (void)counters;
	memcpy(kept, frames, n * sizeof(frames[0]));
	bench.sent = kept;
	bench.n_sent = n;
}

static const struct port_type type = {.name = "keeper"};
static const struct port_driver keeper = {.type = &type, .tx = keep_frames};

static bool
open_bench(void)
{
	struct port port[2];
	struct port *ports[PORT_MAX] = {&port[0], &port[1]};
	const bool up[PORT_MAX] = {true, true};
	if (!rings_open())
		return false;
	bench.from = rings_make(0);
	bench.to = rings_make(VRING_DESC_F_WRITE);
	for (uint16_t i = 0; i < 2; i++) {
		port[i] = (struct port){
			.config.driver = &keeper, .id = i, .dev = &bench, .max_len = 65535};
		port_config_defaults(&port[i].config);
	}
	bench.snapshot = snapshot_build(features, NULL, ports, up, NULL, 0);
	bench.context.snapshot = bench.snapshot;
	bench.context.fdb = fdb_create(&(struct fdb_config){.capacity = 1024});
	return bench.from != NULL && bench.to != NULL && bench.snapshot != NULL &&
	       bench.context.fdb != NULL &&
	       fdb_add_static(bench.context.fdb, UINT64_C(0x010000000002), 0, 1) == 0;
}

/** The part of both guests: frames of a size to send, and space for them. */
static void
fill(uint32_t size)
{
	static const uint8_t ethernet[FRAME_ETH_LEN] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x88, 0xb5};

	rings_fill(bench.from, size, ethernet);
}

static bool
one_burst(uint64_t spent[STAGES])
{
	struct burst *burst = &bench.context.burst;
	struct virtq_result result;
	uint64_t bad = 0, at[STAGES + 1];

	rings_offer(bench.from);
	rings_offer(bench.to);
	at[POP] = rte_rdtsc();
	burst->n = virtq_pop(&bench.from->ring, &bench.batch, burst->frame, FRAME_BURST, &bad);
	at[CLASSIFY] = rte_rdtsc();
	classify_burst(bench.context.fdb, burst, true);
	at[FORWARD] = rte_rdtsc();
	forward_burst(&bench.context);
	at[PUSH] = rte_rdtsc();
	virtq_push(&bench.to->ring, bench.sent, bench.n_sent, &result);
	at[DONE] = rte_rdtsc();
	virtq_pop_done(&bench.from->ring, &bench.batch);
	(void)virtq_notify_unfenced((struct virtq *[]){&bench.from->ring, &bench.to->ring}, 2);
	at[STAGES] = rte_rdtsc();
	for (unsigned stage = 0; stage < STAGES; stage++)
		spent[stage] += at[stage + 1] - at[stage];
	return burst->n == FRAME_BURST && bench.n_sent == FRAME_BURST && result.sent == FRAME_BURST;
}

static bool
one_round(unsigned round)
{
	uint64_t spent[STAGES] = {0}, cost = rings_clock_cost();

	for (unsigned i = 0; i < BURSTS; i++)
		if (!one_burst(spent))
			return false;
	for (unsigned stage = 0; stage < STAGES; stage++)
		bench.cycles[stage][round] =
			((double)spent[stage] / BURSTS - (double)cost) / FRAME_BURST;
	return true;
}

static void
print_size(uint32_t size, bool json, bool last)
{
	double sum = 0;

	printf(json ? "    {\"frame\": %u" : "%6u", size);
	for (unsigned stage = 0; stage < STAGES; stage++) {
		qsort(bench.cycles[stage], ROUNDS, sizeof(double), rings_compare);
		double median = bench.cycles[stage][ROUNDS / 2];
		sum += median;
		if (json)
			printf(", \"%s\": %.2f", stage_names[stage], median);
		else
			printf(" %9.1f", median);
	}
	if (json)
		printf(", \"sum\": %.2f}%s\n", sum, last ? "" : ",");
	else
		printf(" %9.1f\n", sum);
}

static void
print_head(bool json)
{
	const char *isa = virtq_ops_at(0)->name;

	if (json) {
		printf("{\n  \"unit\": \"tsc cycles per frame\", \"burst\": %d, \"rounds\": %d,\n"
		       "  \"isa\": \"%s\", \"sizes\": [\n",
			FRAME_BURST, ROUNDS, isa);
		return;
	}
	printf("TSC cycles per frame, bursts of %d, medians of %d rounds, %s\n%6s", FRAME_BURST,
		ROUNDS, isa, "frame");
	for (unsigned stage = 0; stage < STAGES; stage++)
		printf(" %9s", stage_names[stage]);
	printf(" %9s\n", "sum");
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "-j") == 0;
	unsigned n = RTE_DIM(sizes);

	if (!open_bench()) {
		fprintf(stderr, "stage_bench: out of memory\n");
		return 1;
	}
	print_head(json);
	for (unsigned i = 0; i < n; i++) {
		fill(sizes[i]);
		for (unsigned round = 0; round < ROUNDS; round++)
			if (!one_round(round)) {
				fprintf(stderr, "stage_bench: frames went astray\n");
				return 1;
			}
		print_size(sizes[i], json, i == n - 1);
	}
	if (json)
		printf("  ]\n}\n");
	return 0;
}
