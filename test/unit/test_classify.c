/* SPDX-License-Identifier: BSD-3-Clause */
/* Destinations of the frames of a burst, and what is learnt from them. */
#include "unit.h"

#include "fdb_help.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/classify.h"
#include "packets.h"

/** The address of a host. */
#define HOST(n)   (UINT64_C(0x02) | (uint64_t)(n) << 16)
#define BROADCAST MAC_MASK
#define MULTICAST UINT64_C(0x01005e000001)

enum { FROM = 7, HEAD = 64 };

static struct burst burst;
static uint8_t heads[FRAME_BURST][HEAD];
static struct fdb *fdb;

static int
setup(void **state)
{
	(void)state;
	memset(&burst, 0, sizeof(burst));
	burst.port = FROM;
	fdb = fdb_create(&(struct fdb_config){.capacity = 1024});
	if (fdb != NULL)
		fdb_age(fdb, 0);
	return fdb != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	fdb_destroy(fdb);
	return 0;
}

/** Append a frame. Its l2_len and vlan have arbitrary values, as after rx. */
static struct frame *
add(const struct packet *packet)
{
	static uint8_t bytes[2048];
	struct frame *frame = &burst.frame[burst.n];

	packet_write(packet, bytes);
	memcpy(heads[burst.n], bytes, HEAD);
	*frame = (struct frame){
		.head = heads[burst.n++], .head_len = HEAD, .len = HEAD, .l2_len = 99, .vlan = 99};
	return frame;
}

static struct frame *
add_macs(uint64_t dst, uint64_t src)
{
	return add(&(struct packet){.dst = dst, .src = src, .payload = 10});
}

static struct frame *
add_tagged(uint64_t dst, uint64_t src, uint16_t tci)
{
	return add(&(struct packet){
		.dst = dst, .src = src, .tagged = true, .vlan = tci, .payload = 10});
}

static uint32_t
entries(void)
{
	struct fdb_stats stats;

	fdb_get_stats(fdb, &stats);
	return stats.entries;
}

static void
check_dests(const uint16_t dests[])
{
	classify_burst(fdb, &burst, true);
	for (unsigned i = 0; i < burst.n; i++)
		if (burst.dest[i] != dests[i])
			fail_msg("frame %u goes to %x instead of %x", i, burst.dest[i], dests[i]);
}

static void
test_destinations(void **state)
{
	(void)state;
	learn(fdb, HOST(1), 0, 3);
	learn(fdb, HOST(2), 0, FROM);
	learn(fdb, HOST(3), 0, PORT_MAX - 1);
	add_macs(HOST(1), HOST(10));
	add_macs(HOST(2), HOST(10));
	add_macs(HOST(3), HOST(10));
	add_macs(HOST(4), HOST(10));
	add_macs(BROADCAST, HOST(10));
	add_macs(MULTICAST, HOST(10));
	add_macs(UINT64_C(0x000000c28001), HOST(10));
	add_macs(UINT64_C(0x0f0000c28001), HOST(10));
	add_macs(UINT64_C(0x100000c28001), HOST(10));
	add_macs(HOST(10), HOST(10));
	check_dests((const uint16_t[]){3, DEST_DROP + DROP_SAME_PORT, PORT_MAX - 1, DEST_UNKNOWN,
		DEST_BROADCAST, DEST_MULTICAST, DEST_DROP + DROP_RESERVED,
		DEST_DROP + DROP_RESERVED, DEST_MULTICAST, DEST_DROP + DROP_SAME_PORT});
}

static void
test_vlans(void **state)
{
	(void)state;
	learn(fdb, HOST(1), 0, 1);
	learn(fdb, HOST(1), 5, 2);
	learn(fdb, HOST(1), 4094, 3);
	add_macs(HOST(1), HOST(10));
	add_tagged(HOST(1), HOST(10), 5);
	add_tagged(HOST(1), HOST(10), 0xf000 | 5);
	add_tagged(HOST(1), HOST(10), 4094);
	add_tagged(HOST(1), HOST(10), 6);
	add_tagged(HOST(1), HOST(10), 0xe000);
	add_tagged(HOST(1), HOST(10), 4095);
	add_tagged(BROADCAST, HOST(10), 0x3fff);
	check_dests((const uint16_t[]){
		1, 2, 2, 3, DEST_UNKNOWN, 1, DEST_DROP + DROP_BAD_TAG, DEST_DROP + DROP_BAD_TAG});
	static const uint16_t l2_len[] = {14, 18, 18, 18, 18, 18, 18, 18};
	static const uint16_t vlan[] = {0, 5, 5, 4094, 6, 0};
	for (unsigned i = 0; i < COUNT(l2_len); i++)
		assert_int_equal(burst.frame[i].l2_len, l2_len[i]);
	for (unsigned i = 0; i < COUNT(vlan); i++)
		assert_int_equal(burst.frame[i].vlan, vlan[i]);
}

/** A burst is classified like its frames one by one: header runs end where they must. */
static void
test_header_runs(void **state)
{
	uint16_t dests[FRAME_BURST], vlans[FRAME_BURST], l2_lens[FRAME_BURST];
	uint32_t random = 1;

	(void)state;
	learn(fdb, HOST(1), 0, 1);
	learn(fdb, HOST(1), 5, 2);
	for (unsigned round = 0; round < 200; round++) {
		struct burst whole;

		burst.n = 0;
		while (burst.n < FRAME_BURST) {
			random = random * 1664525 + 1013904223;
			unsigned kind = random >> 28, copies = 1 + (random >> 20) % 5;
			struct frame *first =
				kind % 2 == 0 ? add_macs(HOST(kind / 2 % 3), HOST(10 + kind / 8))
					      : add_tagged(HOST(1), HOST(10), (uint16_t)(kind / 2));
			if (kind == 15)
				first->head_len = (uint16_t)(13 + (random >> 16) % 6);
			while (--copies > 0 && burst.n < FRAME_BURST) {
				memcpy(heads[burst.n], first->head, HEAD);
				burst.frame[burst.n] = *first;
				burst.frame[burst.n].head = heads[burst.n];
				burst.n++;
			}
		}
		whole = burst;
		/* A burst of one frame has no header runs of several frames. */
		for (unsigned i = 0; i < whole.n; i++) {
			burst.frame[0] = whole.frame[i];
			burst.n = 1;
			classify_burst(fdb, &burst, true);
			dests[i] = burst.dest[0];
			vlans[i] = burst.frame[0].vlan;
			l2_lens[i] = burst.frame[0].l2_len;
		}
		burst = whole;
		check_dests(dests);
		/* Without learning, another source does not end a header run. */
		assert_int_equal(classify_burst(fdb, &burst, false), 0);
		assert_memory_equal(burst.dest, dests, burst.n * sizeof(dests[0]));
		for (unsigned i = 0; i < burst.n; i++) {
			assert_int_equal(burst.frame[i].vlan, vlans[i]);
			assert_int_equal(burst.frame[i].l2_len, l2_lens[i]);
		}
	}
}

/** Tags of other protocols than 802.1Q are payload. */
static void
test_other_tags(void **state)
{
	(void)state;
	add_tagged(HOST(1), HOST(10), 4095);
	packet_put16(heads[0] + 12, 0x88a8);
	check_dests((const uint16_t[]){DEST_UNKNOWN});
	assert_int_equal(burst.frame[0].l2_len, 14);
	assert_int_equal(burst.frame[0].vlan, 0);
}

static void
test_learns(void **state)
{
	(void)state;
	learn(fdb, HOST(3), 0, 1);
	add_macs(HOST(1), HOST(2));
	add_macs(BROADCAST, HOST(3));
	add_tagged(HOST(1), HOST(4), 9);
	classify_burst(fdb, &burst, true);
	assert_int_equal(lookup(fdb, HOST(2), 0), FROM);
	assert_int_equal(lookup(fdb, HOST(3), 0), FROM);
	assert_int_equal(lookup(fdb, HOST(4), 9), FROM);
	assert_int_equal(lookup(fdb, HOST(4), 0), FDB_MISS);
	assert_int_equal(lookup(fdb, HOST(1), 0), FDB_MISS);
	assert_int_equal(entries(), 3);
}

/**
 * Sources are learnt before destinations are looked up: a frame to an address of its source port is
 * dropped.
 */
static void
test_learns_first(void **state)
{
	(void)state;
	add_macs(HOST(2), HOST(1));
	add_macs(HOST(1), HOST(2));
	check_dests((const uint16_t[]){DEST_DROP + DROP_SAME_PORT, DEST_DROP + DROP_SAME_PORT});
}

static void
test_learns_nothing(void **state)
{
	(void)state;
	/* From group addresses, the null address, and frames that ingress rules drop. */
	add_macs(HOST(1), BROADCAST);
	add_macs(HOST(1), MULTICAST);
	add_macs(HOST(1), 1);
	add_macs(UINT64_C(0x000000c28001), HOST(5));
	add_tagged(HOST(1), HOST(6), 4095);
	add_macs(HOST(1), HOST(7))->head_len = 13;
	memset(heads[add_macs(HOST(1), HOST(8)) - burst.frame] + MAC_BYTES, 0, MAC_BYTES);
	check_dests((const uint16_t[]){DEST_DROP + DROP_BAD_SOURCE, DEST_DROP + DROP_BAD_SOURCE,
		DEST_DROP + DROP_BAD_SOURCE, DEST_DROP + DROP_RESERVED, DEST_DROP + DROP_BAD_TAG,
		DEST_DROP + DROP_RUNT, DEST_DROP + DROP_BAD_SOURCE});
	assert_int_equal(entries(), 0);
}

/** Frames from invalid source addresses among valid ones of the same header run. */
static void
test_bad_sources(void **state)
{
	static const uint64_t sources[] = {1, MULTICAST, BROADCAST, 0, UINT64_C(0x000000c28001)};
	static const uint16_t good[] = {3, 3, 3, 4, 4, DEST_BROADCAST};
	uint16_t dests[COUNT(good)];

	(void)state;
	learn(fdb, HOST(1), 0, 3);
	learn(fdb, HOST(1), 9, 4);
	for (unsigned s = 0; s < COUNT(sources); s++) {
		for (unsigned bad = 0; bad < 1 << COUNT(good); bad++) {
			burst.n = 0;
			for (unsigned i = 0; i < COUNT(good); i++) {
				bool is_bad = bad >> i & 1;
				if (good[i] == 4)
					add_tagged(HOST(1), HOST(10), 9);
				else
					add_macs(good[i] == 3 ? HOST(1) : BROADCAST, HOST(10));
				if (is_bad)
					memcpy(heads[i] + MAC_BYTES, &sources[s], MAC_BYTES);
				dests[i] = is_bad ? DEST_DROP + DROP_BAD_SOURCE : good[i];
			}
			check_dests(dests);
			assert_int_equal(lookup(fdb, sources[s], 0), FDB_MISS);
			assert_int_equal(lookup(fdb, sources[s], 9), FDB_MISS);
			memset(burst.dest, 0, sizeof(burst.dest));
			classify_burst(fdb, &burst, false);
			assert_memory_equal(burst.dest, dests, sizeof(dests));
		}
	}
}

/** The source of a frame to its own port is learnt. */
static void
test_learns_from_same_port(void **state)
{
	(void)state;
	learn(fdb, HOST(1), 0, FROM);
	add_macs(HOST(1), HOST(2));
	check_dests((const uint16_t[]){DEST_DROP + DROP_SAME_PORT});
	assert_int_equal(lookup(fdb, HOST(2), 0), FROM);
}

static void
test_whole_burst(void **state)
{
	uint16_t dests[FRAME_BURST];

	(void)state;
	for (uint16_t i = 0; i < FRAME_BURST; i++) {
		static const uint64_t dst[] = {HOST(1), HOST(2), BROADCAST, HOST(3)};
		static const uint16_t verdict[] = {
			1, DEST_UNKNOWN, DEST_BROADCAST, DEST_DROP + DROP_SAME_PORT};

		add_macs(dst[i % 4], HOST(100 + i));
		dests[i] = verdict[i % 4];
	}
	learn(fdb, HOST(1), 0, 1);
	learn(fdb, HOST(3), 0, FROM);
	check_dests(dests);
	assert_int_equal(entries(), 2 + FRAME_BURST);
	burst.n = 0;
	classify_burst(fdb, &burst, true);
	assert_int_equal(entries(), 2 + FRAME_BURST);
}

/** Heads of any length end right before inaccessible memory. */
static void
test_short_heads(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	for (uint16_t length = 0; length < 24; length++)
		for (unsigned tagged = 0; tagged < 2; tagged++) {
			const struct packet packet = {.dst = HOST(1), .tagged = tagged != 0};
			bool runt = length < (tagged ? 18 : 14);

			burst.n = 0;
			struct frame *frame = add(&packet);
			frame->head = memcpy(pages + page - length, frame->head, length);
			frame->head_len = length;
			check_dests(
				(const uint16_t[]){runt ? DEST_DROP + DROP_RUNT : DEST_UNKNOWN});
		}
	munmap(pages, 2 * page);
}

#define classify_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		classify_test(test_destinations),
		classify_test(test_vlans),
		classify_test(test_header_runs),
		classify_test(test_other_tags),
		classify_test(test_learns),
		classify_test(test_learns_first),
		classify_test(test_learns_nothing),
		classify_test(test_bad_sources),
		classify_test(test_learns_from_same_port),
		classify_test(test_whole_burst),
		classify_test(test_short_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
