/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cost of a port with many source addresses for other ports: two guests exchange frames, a
 * third one (the hog) sends as many to a fourth, from one address or from a million at random, with
 * a mac-limit and without. All share a polling lcore: the additional time of a round of three
 * bursts is the loss of the other ports. Their frames must not be flooded meanwhile.
 *
 * One thread runs guests and switch; the guests' part is not measured. Medians of rounds, the kinds
 * alternately; with -j as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "datapath/classify.h"
#include "datapath/forward.h"
#include "datapath/snapshot.h"
#include "features/table.h"
#include "rings.h"

enum { GUESTS = 4, HOG = 2, SENDERS = 3, ROUNDS = 11, BURSTS = 3000, LIMIT = 16 };
enum { SOURCES = 1 << 20, CAPACITY = 65536 };

/* The source addresses of the hog. */
enum kind { ONE, MILLION, LIMITED, KINDS };

static const uint32_t sizes[] = {64, 512, 1518};

static struct bench {
	struct side *out[GUESTS], *in[GUESTS];
	struct virtq_batch batch;
	struct port port[GUESTS];
	struct snapshot *snapshot;
	struct fdb *fdb[KINDS];
	struct burst_context context;
	uint64_t random;
	uint64_t sent;
	double cycles[KINDS][ROUNDS]; /* cycles per frame */
} bench;

static void
send_frames_in(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct virtq_result result;

	(void)lcore_id, (void)counters;
	virtq_push(&((struct side *)dev)->ring, frames, n, &result);
	bench.sent += result.sent;
}

static const struct port_type type = {.name = "ring"};
static const struct port_driver driver = {.type = &type, .tx = send_frames_in};

/** Guest 0 sends to 1, 1 to 0, 2 to 3. */
static void
addresses(unsigned from, uint8_t ethernet[FRAME_ETH_LEN])
{
	static const uint8_t frame[FRAME_ETH_LEN] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x88, 0xb5};

	memcpy(ethernet, frame, sizeof(frame));
	ethernet[5] = (uint8_t)(from ^ 1);
	ethernet[11] = (uint8_t)from;
}

static bool
open_table(enum kind kind)
{
	bench.fdb[kind] = fdb_create(&(struct fdb_config){.capacity = CAPACITY});
	if (bench.fdb[kind] == NULL)
		return false;
	fdb_age(bench.fdb[kind], 0);
	if (kind == LIMITED)
		fdb_set_limit(bench.fdb[kind], HOG, LIMIT);
	return fdb_add_static(bench.fdb[kind], UINT64_C(0x030000000002), 0, 3) == 0;
}

static bool
open_bench(void)
{
	struct port *ports[PORT_MAX] = {NULL};
	bool up[PORT_MAX] = {false};

	if (!rings_open())
		return false;
	for (uint16_t i = 0; i < GUESTS; i++) {
		bench.out[i] = rings_make(0);
		bench.in[i] = rings_make(VRING_DESC_F_WRITE);
		if (bench.out[i] == NULL || bench.in[i] == NULL)
			return false;
		ports[i] = &bench.port[i];
		bench.port[i] = (struct port){
			.config.driver = &driver, .id = i, .dev = bench.in[i], .max_len = 65535};
		port_config_defaults(&bench.port[i].config);
		up[i] = true;
	}
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (!open_table(kind))
			return false;
	bench.random = 88172645463325252u;
	bench.snapshot = snapshot_build(features, NULL, ports, up, NULL, 0);
	bench.context.snapshot = bench.snapshot;
	return bench.snapshot != NULL;
}

/** The hog's next burst. One address is written as often as a million are. */
static void
choose_sources(enum kind kind)
{
	struct side *side = bench.out[HOG];

	for (unsigned i = 0; i < FRAME_BURST; i++) {
		unsigned index = (side->ring.last_avail + i) % RINGS_SIZE;
		uint8_t *source = side->buffer[index % RINGS_IN_USE] + RINGS_HEADER + MAC_BYTES;

		bench.random = bench.random * UINT64_C(6364136223846793005) + 1442695040888963407;
		uint32_t n = kind == ONE ? 1 : (uint32_t)(bench.random >> 33) % SOURCES;
		memcpy(source,
			(uint8_t[]){2, 1, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
			MAC_BYTES);
	}
}

static uint64_t
one_burst(uint16_t from)
{
	struct burst *burst = &bench.context.burst;
	uint64_t bad = 0, since = rte_rdtsc();

	burst->port = from;
	burst->n = virtq_pop(&bench.out[from]->ring, &bench.batch, burst->frame, FRAME_BURST, &bad);
	classify_plain_stage(&bench.context, NULL);
	forward_burst(&bench.context);
	virtq_pop_done(&bench.out[from]->ring, &bench.batch);
	return rte_rdtsc() - since;
}

/** @return false: frames were flooded, or lost */
static bool
one_round(enum kind kind, unsigned round)
{
	uint64_t spent = 0, cost = rings_clock_cost();

	bench.context.fdb = bench.fdb[kind];
	bench.sent = 0;
	for (unsigned i = 0; i < BURSTS; i++) {
		choose_sources(kind);
		for (uint16_t from = 0; from < SENDERS; from++) {
			rings_offer(bench.out[from]);
			rings_offer(bench.in[from ^ 1]);
			spent += one_burst(from) - cost;
		}
	}
	bench.cycles[kind][round] = (double)spent / BURSTS / SENDERS / FRAME_BURST;
	return bench.sent == (uint64_t)BURSTS * SENDERS * FRAME_BURST;
}

/**
 * All addresses are learnt, and the tables filled, before the measurement. @return false as
 * one_round()
 */
static bool
measure(uint32_t size)
{
	uint8_t ethernet[FRAME_ETH_LEN];

	for (unsigned from = 0; from < SENDERS; from++) {
		addresses(from, ethernet);
		rings_fill(bench.out[from], size, ethernet);
	}
	for (enum kind kind = 0; kind < KINDS; kind++)
		one_round(kind, 0);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (enum kind kind = 0; kind < KINDS; kind++)
			if (!one_round(kind, round))
				return false;
	for (enum kind kind = 0; kind < KINDS; kind++)
		qsort(bench.cycles[kind], ROUNDS, sizeof(double), rings_compare);
	return true;
}

static void
print_size(uint32_t size, bool json, bool last)
{
	double one = bench.cycles[ONE][ROUNDS / 2], million = bench.cycles[MILLION][ROUNDS / 2],
	       limited = bench.cycles[LIMITED][ROUNDS / 2];
	double more = (million / one - 1) * 100, more_limited = (limited / one - 1) * 100;

	if (json)
		printf("    {\"frame\": %u, \"one_source\": %.2f, \"million\": %.2f, \"limited\": %.2f, "
		       "\"cost_percent\": %.2f, \"limited_cost_percent\": %.2f}%s\n",
			size, one, million, limited, more, more_limited, last ? "" : ",");
	else
		printf("%6u %11.1f %11.1f %11.1f %11.1f%% %11.1f%%\n", size, one, million, limited,
			more, more_limited);
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "-j") == 0;
	unsigned n = RTE_DIM(sizes);

	if (!open_bench()) {
		fprintf(stderr, "hog_bench: out of memory\n");
		return 1;
	}
	printf(json ? "{\n  \"unit\": \"tsc cycles per frame of all three\", \"sizes\": [\n"
		    : "TSC cycles per frame of all three senders\n"
		      " frame  one source     million     limited         cost      limited\n");
	for (unsigned i = 0; i < n; i++) {
		if (!measure(sizes[i])) {
			fprintf(stderr, "hog_bench: frames were flooded or lost\n");
			return 1;
		}
		print_size(sizes[i], json, i == n - 1);
	}
	if (json)
		printf("  ]\n}\n");
	return 0;
}
