/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cycles per address of the FDB beside rte_hash: lookup, learning of known addresses (refresh) and
 * of new ones, by number of addresses.
 *
 * Both do the same work alternately in one process, in bursts of 32 in random order; the medians of
 * the rounds are printed, with -j as JSON. Both have twice as many slots as there are addresses.
 * rte_hash is single-threaded here (no reader-writer concurrency flags, no lock): its best case,
 * while the FDB is always ready for concurrent threads. The arrays of key pointers of rte_hash are
 * prepared outside of the measurement. Its refresh is an add of an existing key.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "fdb/fdb.h"

enum {
	BURST = 32,
	ROUNDS = 9,
	PORT = 1, /* of all addresses */
	LOOKUPS = 1 << 20,
	STREAM_MIN = 1 << 12,
	NEW_MIN = 1 << 17,
	HUGE_PAGES = 160
};

/* What is measured; columns of the table. */
enum op { FDB_LOOKUP, RTE_LOOKUP, FDB_REFRESH, RTE_REFRESH, FDB_NEW, RTE_NEW, OPS };

static const char *const op_names[OPS] = {"fdb_lookup", "rte_hash_lookup", "fdb_learn_refresh",
	"rte_hash_add_refresh", "fdb_learn_new", "rte_hash_add_new"};
static const unsigned sizes[] = {2, 1000, 100000, 1000000};

/* Both tables and their input. */
struct bench {
	unsigned n; /* addresses */
	struct fdb *fdb;
	struct rte_hash *hash;
	uint64_t *keys;   /* each once, in random order */
	uint64_t *stream; /* keys at random, enough that each occurs, but cached if they are few */
	unsigned length;  /* of the stream; it is repeated for LOOKUPS */
	const void **pointers;
	double cycles[OPS][ROUNDS];
};

static uint64_t random_state = 88172645463325252u;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/** Addresses as hypervisors assign them: a prefix and a number. */
static uint64_t
nth_key(unsigned n)
{
	uint64_t mac = UINT64_C(0x005452) | (uint64_t)(n >> 16 & 0xff) << 24 |
		       (uint64_t)(n >> 8 & 0xff) << 32 | (uint64_t)(n & 0xff) << 40;

	return fdb_key(mac, 1);
}

static void
fill_bench(struct bench *b)
{
	for (unsigned i = 0; i < b->n; i++)
		b->keys[i] = nth_key(i);
	for (unsigned i = b->n - 1; i > 0; i--) {
		unsigned j = next_random() % (i + 1);
		uint64_t key = b->keys[i];

		b->keys[i] = b->keys[j];
		b->keys[j] = key;
	}
	for (unsigned i = 0; i < b->length; i++) {
		b->stream[i] = b->keys[next_random() % b->n];
		b->pointers[i] = &b->stream[i];
	}
}

static bool
open_bench(struct bench *b, unsigned n)
{
	struct fdb_config config = {.capacity = n < FDB_CAPACITY_MIN ? FDB_CAPACITY_MIN : n};
	struct rte_hash_parameters params = {
		.name = "bench",
		.entries = 2 * config.capacity,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
	};

	b->n = n;
	for (b->length = STREAM_MIN; b->length < n;)
		b->length *= 2;
	b->fdb = fdb_create(&config);
	b->hash = rte_hash_create(&params);
	b->keys = calloc(n, sizeof(*b->keys));
	b->stream = calloc(b->length, sizeof(*b->stream));
	b->pointers = calloc(b->length, sizeof(*b->pointers));
	if (!b->fdb || !b->hash || !b->keys || !b->stream || !b->pointers)
		return false;
	fill_bench(b);
	return true;
}

static void
close_bench(struct bench *b)
{
	fdb_destroy(b->fdb);
	rte_hash_free(b->hash);
	free(b->keys);
	free(b->stream);
	free(b->pointers);
}

/* One pass over the stream, or over all keys; each returns cycles ------------------------------ */

static void
ask(const struct fdb *fdb, struct fdb_query *query, const uint64_t keys[], unsigned n)
{
	query->n = 0;
	for (unsigned i = 0; i < n; i++)
		fdb_query_add(fdb, query, keys[i]);
	fdb_query_look(fdb, query);
}

static uint64_t
fdb_lookup_pass(struct bench *b)
{
	struct fdb_query query;
	uint64_t wrong = 0;
	uint64_t start = rte_rdtsc_precise();
	uint64_t cycles;

	for (unsigned i = 0; i < LOOKUPS; i += BURST) {
		ask(b->fdb, &query, &b->stream[i & (b->length - 1)], BURST);
		fdb_lookup_burst(b->fdb, &query);
		wrong += query.port[0] != PORT;
	}
	cycles = rte_rdtsc_precise() - start;
	if (wrong)
		fprintf(stderr, "fdb: %lu wrong answers\n", (unsigned long)wrong);
	return cycles;
}

static uint64_t
rte_lookup_pass(struct bench *b)
{
	int32_t positions[BURST];
	uint64_t wrong = 0;
	uint64_t start = rte_rdtsc_precise();
	uint64_t cycles;

	for (unsigned i = 0; i < LOOKUPS; i += BURST) {
		unsigned at = i & (b->length - 1);

		rte_hash_lookup_bulk(b->hash, &b->pointers[at], BURST, positions);
		wrong += positions[0] < 0;
	}
	cycles = rte_rdtsc_precise() - start;
	if (wrong)
		fprintf(stderr, "rte_hash: %lu not found\n", (unsigned long)wrong);
	return cycles;
}

static uint64_t
fdb_refresh_pass(struct bench *b)
{
	struct fdb_query query;
	uint64_t start = rte_rdtsc_precise();

	for (unsigned i = 0; i < LOOKUPS; i += BURST) {
		ask(b->fdb, &query, &b->stream[i & (b->length - 1)], BURST);
		fdb_learn_burst(b->fdb, &query, PORT);
	}
	return rte_rdtsc_precise() - start;
}

static uint64_t
rte_refresh_pass(struct bench *b)
{
	uint64_t start = rte_rdtsc_precise();

	for (unsigned i = 0; i < LOOKUPS; i++) {
		unsigned at = i & (b->length - 1);

		rte_hash_add_key_data(b->hash, &b->stream[at], (void *)(uintptr_t)PORT);
	}
	return rte_rdtsc_precise() - start;
}

static uint64_t
fdb_new_pass(struct bench *b)
{
	struct fdb_query query;
	uint64_t cycles = 0;

	fdb_flush(b->fdb, FDB_MISS, -1);
	for (unsigned i = 0; i < b->n; i += BURST) {
		unsigned n = b->n - i < BURST ? b->n - i : BURST;
		uint64_t start = rte_rdtsc();

		ask(b->fdb, &query, &b->keys[i], n);
		fdb_learn_burst(b->fdb, &query, PORT);
		cycles += rte_rdtsc() - start;
	}
	return cycles;
}

static uint64_t
rte_new_pass(struct bench *b)
{
	uint64_t cycles = 0;

	rte_hash_reset(b->hash);
	for (unsigned i = 0; i < b->n; i += BURST) {
		unsigned n = b->n - i < BURST ? b->n - i : BURST;
		uint64_t start = rte_rdtsc();

		for (unsigned j = 0; j < n; j++)
			rte_hash_add_key_data(b->hash, &b->keys[i + j], (void *)(uintptr_t)PORT);
		cycles += rte_rdtsc() - start;
	}
	return cycles;
}

/* Rounds -------------------------------------------------------------------------------------- */

/** Small tables are filled repeatedly. */
static double
repeat_new(struct bench *b, uint64_t (*pass)(struct bench *))
{
	unsigned times = b->n >= NEW_MIN ? 1 : NEW_MIN / b->n;
	uint64_t cycles = 0;

	if (times > 1000)
		times = 1000;
	for (unsigned i = 0; i < times; i++)
		cycles += pass(b);
	return (double)cycles / times / b->n;
}

/** The first refresh of an epoch for n entries writes, later ones do not. */
static void
one_round(struct bench *b, unsigned round)
{
	b->cycles[FDB_NEW][round] = repeat_new(b, fdb_new_pass);
	b->cycles[RTE_NEW][round] = repeat_new(b, rte_new_pass);
	b->cycles[FDB_LOOKUP][round] = (double)fdb_lookup_pass(b) / LOOKUPS;
	b->cycles[RTE_LOOKUP][round] = (double)rte_lookup_pass(b) / LOOKUPS;
	fdb_age(b->fdb, round);
	b->cycles[FDB_REFRESH][round] = (double)fdb_refresh_pass(b) / LOOKUPS;
	b->cycles[RTE_REFRESH][round] = (double)rte_refresh_pass(b) / LOOKUPS;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_bench(struct bench *b, bool json, bool last)
{
	printf(json ? "    {\"addresses\": %u" : "%9u", b->n);
	for (unsigned op = 0; op < OPS; op++) {
		double median;

		qsort(b->cycles[op], ROUNDS, sizeof(double), compare_doubles);
		median = b->cycles[op][ROUNDS / 2];
		if (json)
			printf(", \"%s\": %.1f", op_names[op], median);
		else
			printf(" %20.1f", median);
	}
	printf(json ? "}%s\n" : "\n", json && !last ? "," : "");
	fflush(stdout);
}

static void
print_head(bool json)
{
	if (json) {
		printf("{\n  \"unit\": \"tsc cycles per address\", \"burst\": %d, \"rounds\": %d,\n"
		       "  \"tsc_hz\": %lu,\n  \"sizes\": [\n",
			BURST, ROUNDS, (unsigned long)rte_get_tsc_hz());
		return;
	}
	printf("TSC cycles per address, bursts of %d, medians of %d rounds; TSC %.2f GHz\n%9s",
		BURST, ROUNDS, (double)rte_get_tsc_hz() / 1e9, "addresses");
	for (unsigned op = 0; op < OPS; op++)
		printf(" %20s", op_names[op]);
	printf("\n");
}

/** In 2 MB pages. */
static unsigned
free_huge_pages(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned n = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%u", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

/** The FDB requests transparent huge pages; let rte_hash have them too, if possible. */
static int
start_eal(void)
{
	const char *huge[] = {
		"fdb_bench", "--in-memory", "--no-pci", "-l", "0", "--log-level=error", NULL};
	const char *small[] = {"fdb_bench", "--no-huge", "--no-shconf", "-m", "1024", "--no-pci",
		"-l", "0", "--log-level=error", NULL};

	if (free_huge_pages() >= HUGE_PAGES)
		return rte_eal_init(sizeof(huge) / sizeof(huge[0]) - 1, (char **)(uintptr_t)huge);
	fprintf(stderr, "fdb_bench: no huge pages for rte_hash\n");
	return rte_eal_init(sizeof(small) / sizeof(small[0]) - 1, (char **)(uintptr_t)small);
}

int
main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "-j");
	unsigned n = sizeof(sizes) / sizeof(sizes[0]);

	if (start_eal() < 0)
		return 1;
	print_head(json);
	for (unsigned i = 0; i < n; i++) {
		struct bench b = {0};

		if (!open_bench(&b, sizes[i])) {
			fprintf(stderr, "fdb_bench: out of memory\n");
			return 1;
		}
		for (unsigned round = 0; round < ROUNDS; round++)
			one_round(&b, round);
		print_bench(&b, json, i == n - 1);
		close_bench(&b);
	}
	if (json)
		printf("  ]\n}\n");
	return 0;
}
