/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames popped from a guest's transmit ring, well formed or not, with each instruction set. */
#include "unit.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring_help.h"

enum { LONG = 65557, END = 2 * RING_REGION_SIZE, CHAIN_MOST = 256 };

static const struct virtq_ops *ops;
static bool packed; /**< the kind of ring */
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];
static uint64_t bad;
static uint8_t bytes[LONG + 16], seen[LONG + 16];

static int
setup(void **state)
{
	(void)state;
	bad = 0;
	/* On the heap, where sanitizers detect accesses beyond the end. */
	batch = aligned_alloc(64, sizeof(*batch));
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
	free(batch);
	return 0;
}

static void
restart(const struct ring_options *options)
{
	ring_restart(&driver, ops, packed, options);
}

static uint16_t
pop(void)
{
	memset(batch->head, 0xdd, sizeof(batch->head));
	return virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
}

/** Write a zero header and a frame. @return their length */
static uint32_t
write_frame(uint64_t addr, uint32_t len, uint32_t seed)
{
	uint32_t header_len = driver.ring.header_len;

	ring_pattern(bytes, len, seed);
	ring_fill(&guest, addr, 0, header_len);
	ring_write(&guest, addr + header_len, bytes, len);
	return header_len + len;
}

/** Write a frame and make it available in one descriptor. */
static void
offer(uint64_t addr, uint32_t len, uint32_t seed)
{
	const struct ring_part part = {addr, write_frame(addr, len, seed), 0};

	ring_add(&driver, &part, 1);
}

static void
expect_frame(const struct frame *frame, uint32_t len, uint32_t seed)
{
	uint32_t head_len = len < VIRTQ_HEAD ? len : VIRTQ_HEAD;

	ring_pattern(bytes, len, seed);
	assert_int_equal(frame->len, len);
	assert_int_equal(frame->head_len, head_len);
	assert_null(frame->mbuf);
	assert_memory_equal(frame->head, bytes, head_len);
	ring_frame_read(frame, seen);
	assert_memory_equal(seen, bytes, len);
	assert_int_equal(frame->offload.flags, 0);
	/* The head is a copy: later writes of the guest do not change it. */
	assert_uint_in_range((uintptr_t)frame->head, (uintptr_t)batch->head,
		(uintptr_t)batch->head + sizeof(batch->head) - head_len);
}

static void
expect_used(unsigned n)
{
	struct vring_used_elem entry;

	for (unsigned i = 0; i < n; i++) {
		assert_true(ring_used(&driver, &entry));
		assert_int_equal(entry.id,
			driver.posted[(uint16_t)(driver.used_seen - 1) % RING_SIZE_MAX].id);
		assert_int_equal(entry.len, 0);
	}
	assert_false(ring_used(&driver, &entry));
}

static void
finish(unsigned n)
{
	assert_int_equal(batch->popped, n);
	virtq_pop_done(&driver.ring, batch);
	expect_used(n);
}

static void
expect_one(uint32_t len, uint32_t seed)
{
	assert_int_equal(pop(), 1);
	expect_frame(&frames[0], len, seed);
	finish(1);
	assert_int_equal(bad, 0);
}

/** The next length to test, 0 after the last. */
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
	(void)state;
	for (unsigned brief = 0; brief < 2; brief++) {
		restart(&(struct ring_options){.short_header = brief});
		for (uint32_t len = 1; len > 0; len = next_length(len)) {
			/* The frame ends before an inaccessible page, or begins after one. */
			offer(RING_LOW + END - driver.ring.header_len - len, len, len);
			expect_one(len, len);
			offer(RING_LOW, len, len + 1);
			expect_one(len, len + 1);
		}
	}
}

/** Divide a frame of `total` bytes at `addr` into buffers; an empty one in between. */
static unsigned
cut(uint64_t addr, uint32_t total, const uint8_t sizes[], unsigned n, struct ring_part parts[])
{
	unsigned count = 0;

	for (unsigned i = 0; i < n && total > 0; i++) {
		uint32_t len = sizes[i] < total ? sizes[i] : total;
		parts[count++] = (struct ring_part){addr, len, 0};
		addr += len;
		total -= len;
	}
	if (total > 0)
		parts[count++] = (struct ring_part){addr, total, 0};
	return count;
}

static void
test_chains(void **state)
{
	static const uint8_t sizes[][8] = {{12}, {10}, {1, 2, 3, 4, 5, 6}, {11, 1, 1, 127, 1},
		{0, 12, 0, 128, 0}, {13, 127}, {12, 129}, {200, 100}, {5, 0, 5, 0, 5, 0, 5, 64}};

	(void)state;
	for (unsigned brief = 0; brief < 2; brief++) {
		restart(&(struct ring_options){.short_header = brief});
		for (unsigned i = 0; i < COUNT(sizes); i++) {
			for (uint32_t len = 1; len > 0; len = next_length(len)) {
				struct ring_part parts[9];
				uint64_t addr = RING_HIGH - 4096;
				uint32_t total = write_frame(addr, len, len);
				unsigned n = cut(addr, total, sizes[i], 8, parts);
				ring_add(&driver, parts, n);
				expect_one(len, len);
				ring_add_indirect(&driver, RING_LOW, parts, n);
				expect_one(len, len);
			}
		}
	}
}

/* Buffers that begin in one region and end in the next. */
static void
test_regions(void **state)
{
	static const uint32_t before[] = {1, 5, 10, 11, 12, 13, 50, 139, 140, 141, 199};

	(void)state;
	for (unsigned i = 0; i < COUNT(before); i++) {
		offer(RING_HIGH - before[i], 200, i);
		expect_one(200, i);
	}
	offer(RING_HIGH - 30000, LONG, 7);
	expect_one(LONG, 7);
}

static void
test_indirect_odd(void **state)
{
	uint32_t total = write_frame(RING_LOW + 4096, 333, 1);
	const struct ring_part parts[] = {
		{RING_LOW + 4096, 20, 0}, {RING_LOW + 4116, total - 20, 0}};

	(void)state;
	/*
	 * The device must ignore WRITE in a descriptor of a table (virtio 1.2 section 2.7.5.3.2).
	 */
	ring_add_indirect(&driver, RING_LOW, parts, 2);
	*ring_flags(&driver) |= VRING_DESC_F_WRITE;
	expect_one(333, 1);
	/* And accept a table at the end of a chain, but not in a packed ring (section 2.8.5). */
	struct vring_desc inner = {RING_LOW + 4116, total - 20, 0, 0};
	const struct ring_part mixed[] = {
		parts[0], {RING_LOW, sizeof(inner), VRING_DESC_F_INDIRECT}};
	if (!packed) {
		ring_write(&guest, RING_LOW, &inner, sizeof(inner));
		ring_add(&driver, mixed, 2);
		expect_one(333, 1);
	}
	/* A table as long as the ring. */
	struct ring_part many[256];
	for (unsigned i = 0; i < 256; i++)
		many[i] = (struct ring_part){RING_LOW + 8192 + i,
			i < 255 ? 1 : write_frame(RING_LOW + 8192, 500, 2) - 255, 0};
	ring_add_indirect(&driver, RING_LOW, many, 256);
	expect_one(500, 2);
}

static void
test_bursts(void **state)
{
	(void)state;
	restart(&(struct ring_options){.size = 64, .first = 65500});
	for (unsigned round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < 40; i++)
			offer(RING_LOW + i * 4096, 60 + i * 7, round * 100 + i);
		for (uint32_t from = 0; from < 40;) {
			uint16_t n = virtq_pop(&driver.ring, batch, frames, 13, &bad);
			assert_int_equal(n, from + 13 <= 40 ? 13 : 1);
			for (uint32_t i = 0; i < n; i++)
				expect_frame(
					&frames[i], 60 + (from + i) * 7, round * 100 + from + i);
			from += n;
			finish(n);
		}
		assert_int_equal(pop(), 0);
		finish(0);
	}
	uint16_t end = packed ? ring_idx_wrap(&driver, 65500 + 240) : (uint16_t)(65500 + 240);
	assert_int_equal(driver.ring.last_avail, end);
	assert_int_equal(driver.ring.last_used, end);
	/* All buffers of a ring at once. */
	for (uint32_t i = 0; i < 64; i++)
		offer(RING_LOW + i * 4096, 60, i);
	assert_int_equal(pop(), 32);
	finish(32);
	assert_int_equal(pop(), 32);
	finish(32);
}

/* Chains that are no frame are skipped and returned, and the others stay in order. */
static void
test_skipped(void **state)
{
	struct virtio_net_hdr nonsense = {.gso_type = 1};
	struct ring_part parts[16];

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		parts[i] = (struct ring_part){RING_LOW, 100 << 10, 0};
	offer(RING_LOW, 100, 1);
	ring_add(&driver, &(struct ring_part){RING_LOW, 12, 0}, 1); /* only a header */
	ring_add(&driver, &(struct ring_part){RING_LOW, 0, 0}, 1);
	ring_add(&driver, (struct ring_part[]){{RING_LOW, 5, 0}, {RING_LOW, 7, 0}}, 2);
	offer(RING_LOW + 4096, 200, 2);
	ring_add(&driver, parts, 16); /* 1.6 MB */
	offer(RING_LOW + 8192, 60, 3);
	ring_write(&guest, RING_LOW + 8192, &nonsense, sizeof(nonsense));
	ring_add(&driver, &(struct ring_part){RING_LOW, 12 + VIRTQ_FRAME_MAX + 1, 0}, 1);
	offer(RING_LOW + 12288, 1, 4);
	assert_int_equal(pop(), 3);
	assert_int_equal(bad, 6);
	expect_frame(&frames[0], 100, 1);
	expect_frame(&frames[1], 200, 2);
	expect_frame(&frames[2], 1, 4);
	finish(9);
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
	/* Only such chains: buffers are returned although there is no frame. */
	ring_add(&driver, parts, 16);
	assert_int_equal(pop(), 0);
	finish(1);
}

static void
test_chain_length(void **state)
{
	static struct ring_part parts[1024];

	(void)state;
	restart(&(struct ring_options){.size = 1024});
	for (unsigned n = CHAIN_MOST - 1; n <= CHAIN_MOST + 1; n++) {
		uint32_t total = write_frame(RING_LOW + 65536, 700, n);
		for (unsigned i = 0; i < n; i++)
			parts[i] = (struct ring_part){
				RING_LOW + 65536 + i, i + 1 < n ? 1 : total - n + 1, 0};
		for (unsigned indirect = 0; indirect < 2; indirect++) {
			bad = 0;
			if (indirect)
				ring_add_indirect(&driver, RING_LOW, parts, n);
			else
				ring_add(&driver, parts, n);
			assert_int_equal(pop(), n <= CHAIN_MOST);
			assert_int_equal(bad, n > CHAIN_MOST);
			if (n <= CHAIN_MOST)
				expect_frame(&frames[0], 700, n);
			finish(1);
		}
	}
	/* Empty buffers count, and a buffer that is divided adds one too many. */
	uint32_t total = write_frame(RING_LOW, 700, 0);
	for (unsigned i = 0; i < 1024; i++)
		parts[i] = (struct ring_part){RING_LOW, i == 1000 ? total : 0, 0};
	ring_add(&driver, parts, 1024);
	bad = 0;
	assert_int_equal(pop(), 0);
	finish(1);
	for (unsigned i = 0; i < CHAIN_MOST; i++)
		parts[i] = (struct ring_part){RING_HIGH - 1, i == 255 ? 2 : 1, 0};
	ring_add(&driver, parts, CHAIN_MOST);
	assert_int_equal(pop(), 0);
	assert_int_equal(bad, 2);
	finish(1);
	assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
}

/* A burst has space for a limited number of pieces; further frames are in the next burst. */
static void
test_segments(void **state)
{
	static struct ring_part parts[CHAIN_MOST];
	static const uint16_t pieces[] = {200, 200, 200, 256, 256, 1, 256, 255, 1, 1, 256, 256, 1};
	static const uint16_t bursts[] = {2, 2, 2, 3, 2, 2};

	(void)state;
	restart(&(struct ring_options){.size = 1024});
	unsigned at = 0;
	for (unsigned i = 0; i < COUNT(pieces); i++) {
		uint64_t addr = RING_LOW + 65536 + i * 4096;
		uint32_t total = write_frame(addr, 600, i);
		/*
		 * With the header in a buffer of its own, there are as many pieces as further
		 * buffers.
		 */
		unsigned n = pieces[i];
		for (unsigned j = 0; j < n; j++) {
			uint32_t len = j + 1 < n ? (j == 0 ? 13 : 1) : total - (j > 0 ? j + 12 : 0);
			parts[j] = (struct ring_part){addr, len, 0};
			addr += len;
		}
		if (n > 1)
			ring_add_indirect(&driver, RING_HIGH + i * 4096, parts, n);
		else
			ring_add(&driver, parts, n);
	}
	for (unsigned burst = 0; at < COUNT(pieces); burst++) {
		uint16_t n = pop();
		assert_uint_in_range(burst, 0, COUNT(bursts) - 1);
		assert_int_equal(n, bursts[burst]);
		for (uint16_t i = 0; i < n; i++)
			expect_frame(&frames[i], 600, at++);
		finish(n);
	}
	assert_int_equal(bad, 0);
}

/* A sum of lengths beyond 32 bits is not taken for a short frame. */
static void
test_sum_wraps(void **state)
{
	struct memory memory, *own = &guest.memory;
	struct err err = {0};
	int fd = memfd_create("large", MFD_CLOEXEC);
	const struct memory_region_desc claim = {.gpa = 0, .size = UINT64_C(1) << 31, .fd = fd};
	const struct ring_part parts[] = {{0, 1u << 31, 0}, {0, 1u << 31, 0}, {0, 112, 0}};

	(void)state;
	assert_return_code(ftruncate(fd, (off_t)claim.size), errno);
	assert_int_equal(memory_map(&memory, &claim, 1, &err), 0);
	driver.ring.memory = &memory;
	ring_add(&driver, parts, 3);
	ring_add(&driver, &parts[0], 1);
	assert_int_equal(pop(), 0);
	assert_int_equal(bad, 2);
	finish(2);
	driver.ring.memory = own;
	memory_unmap(&memory);
	close(fd);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bursts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sum_wraps, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i / 2)) != NULL; i++) {
		packed = i % 2 == 1;
		failed += cmocka_run_group_tests_name(
			packed ? "packed" : ops->name, tests, NULL, NULL);
	}
	return failed;
}
