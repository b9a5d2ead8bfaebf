/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames pushed into a guest's receive ring, with each instruction set. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "eal_fixture.h"
#include "packets.h"
#include "ring_help.h"

enum { LONG = 65549, END = 2 * RING_REGION_SIZE, CANARY = 0xa5, PIECES = 4, AROUND = 80 };

static const struct virtq_ops *ops;
static bool packed; /**< the kind of ring */
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_result result;
static uint8_t bytes[LONG + 16], seen[LONG + 8192];

static int
setup(void **state)
{
	(void)state;
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .packed = packed});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_stop(&driver);
	ring_guest_stop(&guest);
	return 0;
}

static void
restart(const struct ring_options *options)
{
	ring_restart(&driver, ops, packed, options);
}

/**
 * A frame as popped from a sender's ring: pieces on the heap, where sanitizers detect an overrun.
 */
struct sent {
	struct frame frame;
	struct frame_segment piece[PIECES];
};

/** @param cuts ends of pieces, 0 = no more; the classified head differs from the pieces */
static void
make(struct sent *sent, uint32_t len, uint32_t seed, const uint32_t cuts[PIECES - 1])
{
	uint32_t from = 0, head_len = len < VIRTQ_HEAD ? len : VIRTQ_HEAD;
	uint8_t *head = malloc(head_len);

	ring_pattern(bytes, len, seed);
	memcpy(head, bytes, head_len);
	sent->frame = (struct frame){
		.head = head, .head_len = (uint16_t)head_len, .len = len, .segment = sent->piece};
	for (unsigned i = 0; i < PIECES && from < len; i++) {
		uint32_t to = i < PIECES - 1 && cuts[i] > 0 && cuts[i] < len ? cuts[i] : len;
		uint8_t *piece = malloc(to - from);
		memcpy(piece, bytes + from, to - from);
		if (from < head_len)
			memset(piece, 0xee, (to < head_len ? to : head_len) - from);
		sent->piece[sent->frame.segments++] = (struct frame_segment){piece, to - from};
		from = to;
	}
}

static void
discard(struct sent *sent)
{
	for (uint16_t i = 0; i < sent->frame.segments; i++)
		free((void *)(uintptr_t)sent->piece[i].data);
	free((void *)(uintptr_t)sent->frame.head);
}

static uint16_t
push(struct frame *const frames[], uint16_t n)
{
	memset(&result, 0xff, sizeof(result));
	return virtq_push(&driver.ring, frames, n, &result);
}

/** Push one; @return whether it is in the ring */
static bool
push_one(struct frame *frame)
{
	assert_int_equal(push(&frame, 1), 1);
	assert_int_equal(result.sent + __builtin_popcount(result.too_long), 1);
	assert_int_equal(result.bytes, result.sent ? frame->len : 0);
	return result.sent == 1;
}

/** A buffer of `len` bytes, canaries in it and around it. */
static void
prepare(uint64_t addr, uint32_t len)
{
	ring_fill(&guest, addr - AROUND, CANARY, AROUND + len);
	if (addr + len + AROUND <= RING_LOW + END)
		ring_fill(&guest, addr + len, CANARY, AROUND);
}

/** At an address: `before` canaries, a header and a frame, and canaries up to the end. */
static void
expect_at(uint64_t addr, uint32_t space, uint32_t len, uint32_t seed, uint16_t buffers)
{
	uint32_t header_len = driver.ring.header_len, after = space + AROUND;
	uint8_t header[12] = {0};

	if (addr + after > RING_LOW + END)
		after = space;
	memcpy(header + 10, &buffers, 2);
	ring_read(&guest, addr - AROUND, seen, AROUND);
	for (uint32_t i = 0; i < AROUND; i++)
		assert_int_equal(seen[i], CANARY);
	ring_read(&guest, addr, seen, after);
	assert_memory_equal(seen, header, header_len);
	ring_pattern(bytes, len, seed);
	assert_memory_equal(seen + header_len, bytes, len);
	for (uint32_t i = header_len + len; i < after; i++)
		assert_int_equal(seen[i], CANARY);
}

static void
expect_used(uint16_t head, uint32_t len)
{
	struct vring_used_elem entry;

	assert_true(ring_used(&driver, &entry));
	assert_int_equal(entry.id, head);
	assert_int_equal(entry.len, len);
}

static void
expect_no_used(void)
{
	struct vring_used_elem entry;

	assert_false(ring_used(&driver, &entry));
}

static uint16_t
add(uint64_t addr, uint32_t len)
{
	return ring_add(&driver, &(struct ring_part){addr, len, VRING_DESC_F_WRITE}, 1);
}

static uint32_t
next_length(uint32_t len)
{
	return len < 300     ? len + 1
	       : len == 300  ? 1514
	       : len == 1514 ? 9014
	       : len == 9014 ? LONG
			     : 0;
}

static void
test_lengths(void **state)
{
	static const uint32_t cuts[][PIECES - 1] = {
		{0}, {1, 2, 3}, {128}, {60, 127, 129}, {150, 250}};

	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(cuts); i++) {
		restart(&(struct ring_options){.short_header = i % 2});
		for (uint32_t len = 1; len > 0; len = next_length(len)) {
			struct sent sent;
			uint32_t total = driver.ring.header_len + len;
			make(&sent, len, len, cuts[i / 2]);
			/* A buffer that just fits, before an inaccessible page; a larger one. */
			uint64_t addr[] = {RING_LOW + END - total, RING_LOW + 4096};
			for (unsigned j = 0; j < 2; j++) {
				uint32_t space = total + (j ? 100 : 0);
				prepare(addr[j], space);
				uint16_t head = add(addr[j], space);
				assert_true(push_one(&sent.frame));
				expect_at(addr[j], space, len, len, 1);
				expect_used(head, total);
			}
			discard(&sent);
		}
	}
}

static void
test_chains(void **state)
{
	static const uint8_t sizes[][6] = {
		{12}, {10}, {1, 2, 3, 4, 5, 6}, {0, 11, 0, 1, 127, 1}, {5, 0, 5, 0, 5, 200}};
	static const uint32_t cuts[PIECES - 1] = {100, 200};
	struct sent sent;

	(void)state;
	for (unsigned i = 0; i < 4 * COUNT(sizes); i++) {
		restart(&(struct ring_options){.short_header = i & 1});
		for (uint32_t len = 1; len > 0; len = next_length(len)) {
			struct ring_part parts[7];
			uint64_t addr = RING_HIGH - 1000, at = addr;
			uint32_t total = driver.ring.header_len + len, space = total + 300;
			for (unsigned j = 0; j < 7; j++) {
				uint32_t part =
					j < 6 ? sizes[i / 4][j] : (uint32_t)(addr + space - at);
				parts[j] = (struct ring_part){at, part, VRING_DESC_F_WRITE};
				at += part;
			}
			make(&sent, len, len, cuts);
			prepare(addr, space);
			uint16_t head = i & 2 ? ring_add_indirect(&driver, RING_LOW, parts, 7)
					      : ring_add(&driver, parts, 7);
			assert_true(push_one(&sent.frame));
			expect_at(addr, space, len, len, 1);
			expect_used(head, total);
			discard(&sent);
		}
	}
}

static void
test_regions(void **state)
{
	static const uint32_t before[] = {1, 9, 11, 12, 13, 80, 139, 140, 141, 211, 212};
	static const uint32_t cuts[PIECES - 1] = {0};
	struct sent sent;

	(void)state;
	make(&sent, 200, 9, cuts);
	for (unsigned i = 0; i < COUNT(before); i++) {
		prepare(RING_HIGH - before[i], 300);
		uint16_t head = add(RING_HIGH - before[i], 300);
		assert_true(push_one(&sent.frame));
		expect_at(RING_HIGH - before[i], 300, 200, 9, 1);
		expect_used(head, 212);
	}
	discard(&sent);
}

/** Adjacent buffers of one size, so that the bytes of a frame are contiguous. */
static unsigned
add_merging(uint64_t addr, const uint16_t sizes[], unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; sum += sizes[i++])
		add(addr + sum, sizes[i]);
	prepare(addr, sum);
	return sum;
}

static void
test_merging(void **state)
{
	static const uint16_t sizes[][6] = {{100, 1000, 12, 13, 5000, 1},
		{12, 12, 12, 12, 12, 20000}, {1500, 1500, 1500, 1500, 1500, 1500},
		{12, 128, 12, 1, 1, 1}};
	static const uint32_t cuts[PIECES - 1] = {7, 500};
	struct sent sent;

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		for (uint32_t len = 1; len < 9014; len += len < 300 ? 1 : 613) {
			uint64_t addr = RING_HIGH - 777;
			uint32_t space = 0, left = len + 12;
			uint16_t need = 0;
			restart(&(struct ring_options){.mergeable = true});
			unsigned sum = add_merging(addr, sizes[i], 6);
			for (; need < 6 && space < len + 12; need++)
				space += sizes[i][need];
			/* A buffer of 1 byte cannot hold a header, and must not be reached here. */
			if (space < len + 12 || sizes[i][need - 1] < 12)
				continue;
			make(&sent, len, i, cuts);
			assert_true(push_one(&sent.frame));
			expect_at(addr, sum, len, i, need);
			for (uint16_t j = 0; j < need; j++) {
				uint32_t part = sizes[i][j] < left ? sizes[i][j] : left;
				expect_used(j, part);
				left -= part;
			}
			expect_no_used();
			discard(&sent);
		}
	}
}

/* The longest frame in buffers as large as those of Linux. */
static void
test_merging_long(void **state)
{
	static const uint32_t cuts[PIECES - 1] = {66, 30000, 60000};
	uint16_t sizes[44];
	struct sent sent;

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++)
		sizes[i] = 1536;
	for (unsigned have = 42; have <= 44; have++) {
		restart(&(struct ring_options){.mergeable = true, .first = 65530});
		unsigned sum = add_merging(RING_LOW + 4096, sizes, have);
		make(&sent, LONG, 3, cuts);
		struct frame *frame = &sent.frame;
		assert_int_equal(push(&frame, 1), have >= 43);
		if (have >= 43) {
			expect_at(RING_LOW + 4096, sum, LONG, 3, 43);
			for (uint16_t i = 0; i < 43; i++)
				expect_used(i, i < 42 ? 1536 : LONG + 12 - 42 * 1536);
		}
		expect_no_used();
		discard(&sent);
	}
}

/* Too few buffers now: the frame waits. Too few in the whole ring, or too many: it is skipped. */
static void
test_merging_bounds(void **state)
{
	static const uint32_t cuts[PIECES - 1] = {0};
	struct sent large, small;
	struct frame *frames[] = {&large.frame, &small.frame};

	(void)state;
	make(&large, 5000, 1, cuts);
	make(&small, 60, 2, cuts);
	restart(&(struct ring_options){.mergeable = true, .size = 4});
	for (unsigned i = 0; i < 3; i++)
		add(RING_LOW + 4096 + i * 500, 500);
	assert_int_equal(push(frames, 2), 0);
	expect_no_used();
	add(RING_LOW + 8192, 500);
	assert_int_equal(push(frames, 2), 2);
	assert_int_equal(__builtin_popcount(result.too_long), 1);
	assert_int_equal(result.sent, 1);
	assert_int_equal(result.bytes, 60);
	expect_used(0, 72);
	expect_no_used();
	restart(&(struct ring_options){.mergeable = true, .size = 256});
	for (unsigned i = 0; i < 256; i++)
		add(RING_LOW + 4096 + i * 30, 30);
	assert_int_equal(push(frames, 2), 2);
	assert_int_equal(__builtin_popcount(result.too_long), 1);
	expect_used(0, 30);
	expect_used(1, 30);
	expect_used(2, 12);
	expect_no_used();
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
	discard(&large);
	discard(&small);
}

static void
test_too_long(void **state)
{
	static const uint32_t cuts[PIECES - 1] = {0};
	struct sent large, small;
	struct frame *frames[] = {
		&small.frame, &large.frame, &large.frame, &small.frame, &large.frame};

	(void)state;
	make(&small, 200, 1, cuts);
	make(&large, 201, 2, cuts);
	for (unsigned i = 0; i < 4; i++) {
		prepare(RING_LOW + 4096 + i * 4096, 212);
		add(RING_LOW + 4096 + i * 4096, 212);
	}
	assert_int_equal(push(frames, 5), 5);
	assert_int_equal(result.sent, 2);
	assert_int_equal(__builtin_popcount(result.too_long), 3);
	assert_int_equal(result.bytes, 400);
	expect_used(0, 212);
	expect_used(1, 212);
	expect_no_used();
	expect_at(RING_LOW + 4096, 212, 200, 1, 1);
	expect_at(RING_LOW + 8192, 212, 200, 1, 1);
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
	discard(&small);
	discard(&large);
}

static void
test_full(void **state)
{
	static const uint32_t cuts[PIECES - 1] = {0};
	struct sent sent[FRAME_BURST];
	struct frame *frames[FRAME_BURST];
	uint16_t done = 0;

	(void)state;
	restart(&(struct ring_options){.size = 16, .first = 65530});
	for (uint16_t i = 0; i < FRAME_BURST; i++) {
		make(&sent[i], 60 + i * 11, i, cuts);
		frames[i] = &sent[i].frame;
	}
	assert_int_equal(push(frames, FRAME_BURST), 0);
	ring_notify(&driver);
	assert_int_equal(ring_calls(&driver), 0);
	for (unsigned have = 1; done < FRAME_BURST; have = have < 16 ? have + 3 : 16) {
		uint16_t expected = (uint16_t)RTE_MIN(have, FRAME_BURST - done + 0u);
		for (unsigned i = 0; i < have; i++) {
			prepare(RING_LOW + 4096 + (done + i) * 1024, 600);
			add(RING_LOW + 4096 + (done + i) * 1024, 600);
		}
		assert_int_equal(push(frames + done, FRAME_BURST - done), expected);
		assert_int_equal(result.sent, expected);
		for (uint32_t i = done; i < done + expected; i++) {
			expect_used((uint16_t)(i % 16), 72 + i * 11);
			expect_at(RING_LOW + 4096 + i * 1024, 600, 60 + i * 11, i, 1);
		}
		expect_no_used();
		done += expected;
		ring_notify(&driver);
		assert_int_equal(ring_calls(&driver), 1);
	}
	for (uint16_t i = 0; i < FRAME_BURST; i++)
		discard(&sent[i]);
}

static void
test_mbufs(void **state)
{
	static const uint16_t sizes[] = {1000, 1000, 9000};
	struct frame frame;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		for (uint32_t len = 1; len > 0 && len < LONG; len = next_length(len)) {
			restart(&(struct ring_options){.mergeable = i == 1});
			ring_pattern(bytes, len, len);
			frame_from_mbuf(&frame,
				packet_chain(eal_fixture_pool(), bytes, len, i == 2 ? 3 : 0, 37));
			unsigned sum = 9100;
			if (i == 1) {
				sum = add_merging(RING_LOW + 4096, sizes, 3);
			} else {
				prepare(RING_LOW + 4096, sum);
				add(RING_LOW + 4096, sum);
			}
			assert_true(push_one(&frame));
			uint16_t buffers = len + 12 <= 1000 || i != 1 ? 1
					   : len + 12 <= 2000         ? 2
								      : 3;
			expect_at(RING_LOW + 4096, sum, len, len, buffers);
			rte_pktmbuf_free(frame.mbuf);
		}
	}
}

int
main(void)
{
	int failed = eal_fixture_start() < 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merging_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merging_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mbufs, setup, teardown),
	};

	for (unsigned i = 0; failed == 0 && (ops = virtq_ops_at(i / 2)) != NULL; i++) {
		packed = i % 2 == 1;
		failed += cmocka_run_group_tests_name(
			packed ? "packed" : ops->name, tests, NULL, NULL);
	}
	eal_group_teardown(NULL);
	return failed;
}
