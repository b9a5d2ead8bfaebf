/* SPDX-License-Identifier: BSD-3-Clause */
/* Specific to packed rings: rounds of any size, wrap counters, ids, bursts made visible at once. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

#include "base/shared.h"

enum { ROUNDS = 300, FLIPS = 3000, LEN = 300, OWNER = 0x8080 };

static const uint16_t sizes[] = {1, 2, 3, 5, 17, 31, 32, 33, 100, 255, 257, 1000};
static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST], *list[FRAME_BURST];
static uint8_t bytes[LEN], seen[8 * LEN + 12];
static uint64_t bad;
static uint32_t seed;

static int
setup(void **state)
{
	(void)state;
	bad = 0;
	seed = 1;
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .packed = true});
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
	ring_restart(&driver, ops, true, options);
}

static uint32_t
free_descs(void)
{
	return driver.size - (driver.descs_avail - driver.descs_used);
}

static void
expect_places(void)
{
	assert_int_equal(driver.ring.last_avail, ring_idx_wrap(&driver, driver.descs_used));
	assert_int_equal(driver.ring.last_used, ring_idx_wrap(&driver, driver.descs_used));
}

/** Offer a frame in up to `most` descriptors, or a table of them. @return its length */
static uint32_t
send_random(uint32_t number, uint32_t most)
{
	struct ring_part parts[6];
	uint64_t addr = RING_LOW + number % 1024 * 1024;
	uint32_t len = 1 + unit_random(&seed, LEN), left = len + 12, n = 0;

	ring_pattern(bytes, len, number);
	ring_fill(&guest, addr, 0, 12);
	ring_write(&guest, addr + 12, bytes, len);
	most = most < COUNT(parts) ? most : COUNT(parts);
	for (uint32_t want = 1 + unit_random(&seed, most); left > 0; n++) {
		uint32_t part = n + 1 < want ? 1 + unit_random(&seed, left) : left;
		parts[n] = (struct ring_part){addr + len + 12 - left, part, 0};
		left -= part;
	}
	if (n <= driver.size && unit_random(&seed, 3) == 0)
		ring_add_indirect(&driver, addr + 800, parts, n);
	else
		ring_add(&driver, parts, n);
	return len;
}

/* Chains of any length in rings of any size over many rounds, popped in bursts of any size. */
static void
test_pop_rounds(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(sizes); i++) {
		uint32_t sent = 0, taken = 0, lens[1024];
		restart(&(struct ring_options){.size = sizes[i / 2], .first = i % 2 ? 40000 : 0});
		for (unsigned round = 0; round < ROUNDS; round++) {
			struct vring_used_elem entry;
			while (free_descs() > 0 && unit_random(&seed, 6) > 0) {
				lens[sent % 1024] = send_random(sent, free_descs());
				sent++;
			}
			uint16_t most = (uint16_t)(1 + unit_random(&seed, FRAME_BURST));
			uint16_t n = virtq_pop(&driver.ring, batch, frames, most, &bad);
			assert_int_equal(n, most < sent - taken ? most : sent - taken);
			for (uint16_t j = 0; j < n; j++, taken++) {
				assert_int_equal(frames[j].len, lens[taken % 1024]);
				ring_frame_read(&frames[j], seen);
				ring_pattern(bytes, frames[j].len, taken);
				assert_memory_equal(seen, bytes, frames[j].len);
			}
			/* No buffer is returned before virtq_pop_done(). */
			assert_false(ring_used(&driver, &entry));
			virtq_pop_done(&driver.ring, batch);
			for (uint16_t j = 0; j < n; j++)
				assert_true(ring_used(&driver, &entry));
			assert_false(ring_used(&driver, &entry));
			expect_places();
		}
		assert_uint_in_range(taken, driver.size + 1, UINT32_MAX);
	}
	assert_int_equal(bad, 0);
}

/** Fill the ring with buffers, of one to three descriptors, direct and indirect. */
static void
provide(uint32_t space)
{
	while (free_descs() > 0) {
		uint32_t most = free_descs() < 3 ? free_descs() : 3,
			 n = 1 + unit_random(&seed, most);
		uint64_t addr = RING_LOW + driver.next_desc * 2048u;
		struct ring_part parts[3];
		for (uint32_t i = 0; i < n; i++)
			parts[i] = (struct ring_part){addr + i * (space / n),
				i + 1 < n ? space / n : space - i * (space / n),
				VRING_DESC_F_WRITE};
		if (unit_random(&seed, 3) == 0)
			ring_add_indirect(&driver, addr + 1024, parts, n);
		else
			ring_add(&driver, parts, n);
	}
}

/** Read the next frame. @return its length; 0 = none */
static uint32_t
receive(uint32_t *chains)
{
	struct vring_used_elem entry;
	uint16_t buffers = 1;
	uint32_t at = 0;

	for (*chains = 0; *chains < buffers; (*chains)++) {
		if (!ring_used(&driver, &entry))
			return 0;
		assert_uint_in_range(entry.len, 1, sizeof(seen) - at);
		ring_read(&guest, driver.addr[entry.id], seen + at, entry.len);
		at += entry.len;
		memcpy(&buffers, seen + 10, 2);
	}
	return at - 12;
}

/* Frames into rings of any size, one to a buffer or over several; each buffer is used once. */
static void
test_push_rounds(void **state)
{
	static struct frame_segment segments[FRAME_BURST];
	static uint8_t payload[FRAME_BURST][LEN];
	struct virtq_result result;

	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(sizes); i++) {
		/* The longest frame takes four buffers of at most three descriptors. */
		bool merge = i % 2 == 1 && sizes[i / 2] >= 12;
		uint32_t sent = 0, full = 0, chains;
		restart(&(struct ring_options){
			.size = sizes[i / 2], .first = merge ? 777 : 0, .mergeable = merge});
		provide(merge ? 100 : LEN + 12);
		for (unsigned round = 0; round < ROUNDS; round++) {
			uint16_t n = (uint16_t)(1 + unit_random(&seed, FRAME_BURST));
			for (uint16_t j = 0; j < n; j++) {
				uint32_t len = 1 + unit_random(&seed, LEN);
				ring_pattern(payload[j], len, round + j);
				segments[j] = (struct frame_segment){payload[j], len};
				frames[j] = (struct frame){.segment = &segments[j],
					.segments = 1,
					.head = payload[j],
					.head_len = (uint16_t)(len < 128 ? len : 128),
					.len = len};
				list[j] = &frames[j];
			}
			uint16_t done = virtq_push(&driver.ring, list, n, &result);
			assert_int_equal(driver.ring.broken, VIRTQ_GOOD);
			assert_int_equal(result.sent, done);
			for (uint16_t j = 0; j < done; j++) {
				assert_int_equal(receive(&chains), frames[j].len);
				assert_int_equal(
					chains, merge ? (frames[j].len + 12 + 99) / 100 : 1);
				assert_memory_equal(seen + 12, payload[j], frames[j].len);
			}
			assert_int_equal(receive(&chains), 0);
			sent += done;
			full += done < n;
			expect_places();
			provide(merge ? 100 : LEN + 12);
		}
		assert_uint_in_range(sent, driver.size + 1, UINT32_MAX);
		assert_true(driver.size > 17 || full > 0);
	}
}

/*
 * All descriptors of the ring form few buffers: a frame that needs more is too long, and the next
 * may fit.
 */
static void
test_never_fits(void **state)
{
	const struct frame_segment large = {bytes, 250}, small = {bytes, 60};
	struct virtq_result result;

	(void)state;
	restart(&(struct ring_options){.size = 4, .first = 3, .mergeable = true});
	for (unsigned i = 0; i < 2; i++)
		ring_add(&driver,
			(struct ring_part[]){{RING_LOW + i * 100, 50, VRING_DESC_F_WRITE},
				{RING_LOW + i * 100 + 50, 50, VRING_DESC_F_WRITE}},
			2);
	for (unsigned i = 0; i < 2; i++) {
		const struct frame_segment *segment = i == 0 ? &large : &small;
		frames[i] = (struct frame){.segment = segment,
			.segments = 1,
			.head = bytes,
			.head_len = 60,
			.len = segment->len};
		list[i] = &frames[i];
	}
	assert_int_equal(virtq_push(&driver.ring, list, 2, &result), 2);
	assert_int_equal(__builtin_popcount(result.too_long), 1);
	assert_int_equal(result.sent, 1);
	ring_reclaim(&driver);
	assert_int_equal(driver.used_seen, 3 + 1);
	/* With one of them used, the other one is not all of the ring. */
	assert_int_equal(virtq_push(&driver.ring, list, 1, &result), 0);
}

static atomic_bool stop;
static atomic_uint watched; /**< rounds that the watcher has finished */

/** A driver that reads the first descriptor, and once that is used all others. */
static void *
watch(void *arg)
{
	bool *torn = arg;

	for (unsigned round = 0; !atomic_load(&stop);) {
		uint16_t used = round % 2 ? 0 : OWNER;
		if ((shared_load_acquire(&driver.packed_desc[0].flags) & OWNER) != used)
			continue;
		for (unsigned i = FRAME_BURST - 1; i > 0; i--)
			*torn |=
				(shared_load_relaxed(&driver.packed_desc[i].flags) & OWNER) != used;
		atomic_store(&watched, ++round);
	}
	return NULL;
}

/* The driver sees none of a burst before it sees all of it. */
static void
test_burst_at_once(void **state)
{
	bool torn = false;
	pthread_t thread;

	(void)state;
	restart(&(struct ring_options){.size = FRAME_BURST});
	atomic_store(&stop, false);
	atomic_store(&watched, 0);
	assert_int_equal(pthread_create(&thread, NULL, watch, &torn), 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (unsigned i = 0; i < FRAME_BURST; i++)
			ring_add(&driver, &(struct ring_part){RING_LOW, 100, 0}, 1);
		virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
		virtq_pop_done(&driver.ring, batch);
		while (atomic_load(&watched) < round)
			sched_yield();
		ring_reclaim(&driver);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_false(torn);
}

static void
test_used(void **state)
{
	uint16_t ids[5];

	(void)state;
	restart(&(struct ring_options){.size = 7, .first = 4});
	for (unsigned i = 0; i < 5; i++)
		ids[i] = ring_add(&driver, &(struct ring_part){RING_LOW, 100, 0}, 1);
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 5);
	for (uint16_t i = 0; i < 5; i++)
		assert_int_equal(batch->chain[i], ids[i]);
	virtq_pop_done(&driver.ring, batch);
	assert_null(driver.ring.first_used);
	for (unsigned i = 0; i < 5; i++) {
		const struct virtq_packed_desc *desc = &driver.packed_desc[(4 + i) % 7];
		assert_int_equal(desc->flags, 4 + i < 7 ? OWNER : 0);
		assert_int_equal(desc->id, ids[i]);
		assert_int_equal(desc->len, 0);
	}
}

/* Any number is a valid buffer id. */
static void
test_ids(void **state)
{
	static const uint16_t ids[] = {0, 1, 255, 256, 32768, 65535, 7, 7};

	(void)state;
	for (unsigned i = 0; i < COUNT(ids); i++) {
		ring_add(&driver, &(struct ring_part){RING_LOW, 100, 0}, 1);
		driver.packed_desc[i].id = ids[i];
	}
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), COUNT(ids));
	virtq_pop_done(&driver.ring, batch);
	for (unsigned i = 0; i < COUNT(ids); i++)
		assert_int_equal(driver.packed_desc[i].id, ids[i]);
}

/* In a table only WRITE has a meaning: NEXT, INDIRECT, AVAIL and USED have none. */
static void
test_table_flags(void **state)
{
	const struct ring_part parts[] = {{RING_LOW + 4096, 12, VRING_DESC_F_INDIRECT},
		{RING_LOW + 4108, 50, OWNER}, {RING_LOW + 4158, 50, VRING_DESC_F_NEXT}};

	(void)state;
	ring_pattern(bytes, 100, 1);
	ring_fill(&guest, RING_LOW + 4096, 0, 12);
	ring_write(&guest, RING_LOW + 4108, bytes, 100);
	ring_add_indirect(&driver, RING_LOW, parts, 3);
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 1);
	ring_frame_read(&frames[0], seen);
	assert_int_equal(frames[0].len, 100);
	assert_memory_equal(seen, bytes, 100);
}

/** Descriptors that the driver has not made available in this round. */
static void
test_not_available(void **state)
{
	static const uint16_t flags[2][3] = {{0, 0x8000, 0x8080}, {0, 0x80, 0x8080}};

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		restart(&(struct ring_options){.size = 6, .first = (uint16_t)(6 * round)});
		for (unsigned i = 0; i < 3; i++) {
			driver.packed_desc[0] = (struct virtq_packed_desc){
				.addr = RING_LOW, .len = 100, .flags = flags[round][i]};
			assert_int_equal(
				virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 0);
			assert_int_equal(batch->popped, 0);
		}
		driver.packed_desc[0].flags = round ? 0x8000 : 0x80;
		assert_int_equal(virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad), 1);
	}
}

/* A driver that keeps changing lengths, addresses, and all flags. */
static void *
flip(void *arg)
{
	uint32_t random = 1;

	(void)arg;
	while (!atomic_load(&stop)) {
		random = random * 1664525 + 1013904223;
		struct virtq_packed_desc *desc = &driver.packed_desc[random >> 8 & 7];
		struct virtq_packed_desc with = {.len = random >> 12 & 1 ? 300 : random >> 13 & 15,
			.id = (uint16_t)(random >> 16),
			.flags = (uint16_t)((random ^ random << 9) >> 16 & OWNER) |
				 (random >> 19 & 1 ? 0 : (random >> 20) % 8)};
		*(volatile uint64_t *)&desc->addr = RING_HIGH - 200 + (random >> 11 & 1) * 4096;
		shared_store_release(&desc->word, with.word);
	}
	return NULL;
}

static void
test_flipping(void **state)
{
	unsigned taken = 0;
	pthread_t thread;

	(void)state;
	restart(&(struct ring_options){.size = 8});
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
	for (unsigned round = 0; round < FLIPS || taken == 0; round++) {
		uint16_t n = virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
		assert_uint_in_range(batch->popped, n, 8);
		for (uint16_t i = 0; i < n; i++)
			ring_frame_read(&frames[i], seen);
		taken += n;
		virtq_pop_done(&driver.ring, batch);
		atomic_store(&driver.ring.broken, VIRTQ_GOOD);
		if (taken == 0)
			sched_yield(); /* the other thread may wait for this CPU */
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pop_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_available, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flipping, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
