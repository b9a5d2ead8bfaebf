/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests that violate the rules of a ring: that ring is broken, and no other. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum {
	WATCHED = 1 << 16,
	FRAME_LEN = 300,
	BEFORE =
		12, /* good buffers at most, in steps of 3: the fault is at each place of a batch */
	AFTER = 10,
};

/** The directions whose rings detect the fault. */
enum way { OUT = 1, IN = 2, BOTH = 3 };

static const struct virtq_ops *ops;
static struct ring_guest guest;
static struct ring_driver driver, other;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];
static uint8_t bytes[FRAME_LEN];
static bool writable; /**< the direction of the ring */

static uint16_t
flag(void)
{
	return writable ? VRING_DESC_F_WRITE : 0;
}

static void
add(uint64_t addr, uint32_t len, uint16_t flags)
{
	ring_add(&driver, &(struct ring_part){addr, len, flags}, 1);
}

static void
fault_head(void)
{
	ring_add_head(&driver, driver.size);
}

static void
fault_head_high(void)
{
	ring_add_head(&driver, UINT16_MAX);
}

static void
fault_next(void)
{
	add(RING_LOW, 100, flag() | VRING_DESC_F_NEXT);
	driver.desc[(driver.next_desc - 1) % driver.size].next = driver.size;
}

static void
loop(uint32_t len)
{
	uint16_t at = driver.next_desc;

	add(RING_LOW, len, flag() | VRING_DESC_F_NEXT);
	driver.desc[at].next = at;
}

static void
fault_loop(void)
{
	loop(1);
}

static void
fault_empty_loop(void)
{
	loop(0);
}

static void
fault_address(void)
{
	add(RING_NONE, 100, flag());
}

static void
fault_address_low(void)
{
	add(RING_LOW - 1, 100, flag());
}

static void
fault_address_last(void)
{
	add(UINT64_MAX - 10, 100, flag());
}

static void
fault_past_end(void)
{
	add(RING_HIGH + RING_REGION_SIZE - 1000, 1001, flag());
}

static void
fault_length_most(void)
{
	add(RING_LOW, UINT32_MAX, flag());
}

static void
fault_empty(void)
{
	const struct ring_part parts[] = {
		{RING_LOW, 100, flag()}, {RING_NONE, 0, flag()}, {RING_LOW, 1000, flag()}};

	ring_add(&driver, parts, 3);
}

static void
fault_direction(void)
{
	add(RING_LOW, 1000, flag() ^ VRING_DESC_F_WRITE);
}

static void
fault_direction_later(void)
{
	const struct ring_part parts[] = {
		{RING_LOW, 100, flag()}, {RING_LOW, 1000, flag() ^ VRING_DESC_F_WRITE}};

	ring_add(&driver, parts, 2);
}

static void
indirect(uint64_t table, uint32_t len)
{
	for (uint16_t i = 0; i < 4; i++) {
		struct vring_desc desc = {RING_LOW, 1000, flag(), 0};
		ring_write(&guest, RING_LOW + 32768 + i * sizeof(desc), &desc, sizeof(desc));
	}
	add(table, len, VRING_DESC_F_INDIRECT);
}

static void
fault_indirect_empty(void)
{
	indirect(RING_LOW + 32768, 0);
}

static void
fault_indirect_odd(void)
{
	indirect(RING_LOW + 32768, 24);
}

static void
fault_indirect_short(void)
{
	indirect(RING_LOW + 32768, 15);
}

static void
fault_indirect_large(void)
{
	indirect(RING_LOW + 32768, (driver.size + 1u) * 16);
}

static void
fault_indirect_most(void)
{
	indirect(RING_LOW + 32768, UINT32_MAX - 15);
}

static void
fault_indirect_regions(void)
{
	indirect(RING_HIGH - 16, 32);
}

static void
fault_indirect_address(void)
{
	indirect(RING_NONE, 32);
}

static void
fault_indirect_next(void)
{
	indirect(RING_LOW + 32768, 32);
	driver.desc[(driver.next_desc - 1) % driver.size].flags |= VRING_DESC_F_NEXT;
}

static void
fault_indirect_nested(void)
{
	const struct ring_part inner = {RING_LOW + 32768, 16, VRING_DESC_F_INDIRECT};

	ring_add_indirect(&driver, RING_LOW + 32768, &inner, 1);
}

/* A chain whose descriptor has a next index beyond the end. */
static void
fault_indirect_beyond(void)
{
	const struct vring_desc desc = {RING_LOW, 10, flag() | VRING_DESC_F_NEXT, 1};

	indirect(RING_LOW + 32768, 16);
	ring_write(&guest, RING_LOW + 32768, &desc, sizeof(desc));
}

static void
fault_indirect_loop(void)
{
	const struct vring_desc desc = {RING_LOW, 10, flag() | VRING_DESC_F_NEXT, 0};

	indirect(RING_LOW + 32768, 64);
	ring_write(&guest, RING_LOW + 32768, &desc, sizeof(desc));
}

static void
fault_index(void)
{
	driver.avail->idx = (uint16_t)(driver.ring.last_avail + driver.size + 1);
}

static void
fault_index_back(void)
{
	driver.avail->idx = (uint16_t)(driver.ring.last_avail - 1);
}

static void
fault_short(void)
{
	add(RING_LOW, 11, flag());
}

static void
fault_short_chain(void)
{
	ring_add(&driver,
		(struct ring_part[]){
			{RING_LOW, 5, flag()}, {RING_LOW, 0, flag()}, {RING_LOW, 6, flag()}},
		3);
}

static void
fault_short_none(void)
{
	add(RING_LOW, 0, flag());
}

static const struct {
	void (*make)(void);
	enum virtq_fault fault;
	enum way way;
} faults[] = {
	{fault_index, VIRTQ_BAD_INDEX, BOTH},
	{fault_index_back, VIRTQ_BAD_INDEX, BOTH},
	{fault_head, VIRTQ_BAD_HEAD, BOTH},
	{fault_head_high, VIRTQ_BAD_HEAD, BOTH},
	{fault_next, VIRTQ_BAD_HEAD, BOTH},
	{fault_loop, VIRTQ_BAD_CHAIN, BOTH},
	{fault_empty_loop, VIRTQ_BAD_CHAIN, BOTH},
	{fault_address, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_address_low, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_address_last, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_past_end, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_length_most, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_empty, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_direction, VIRTQ_BAD_DIRECTION, BOTH},
	{fault_direction_later, VIRTQ_BAD_DIRECTION, BOTH},
	{fault_indirect_empty, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_odd, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_short, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_large, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_most, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_regions, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_indirect_address, VIRTQ_BAD_ADDRESS, BOTH},
	{fault_indirect_next, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_nested, VIRTQ_BAD_INDIRECT, BOTH},
	{fault_indirect_beyond, VIRTQ_BAD_CHAIN, BOTH},
	{fault_indirect_loop, VIRTQ_BAD_CHAIN, BOTH},
	{fault_short, VIRTQ_BAD_RX_BUFFER, IN},
	{fault_short_chain, VIRTQ_BAD_RX_BUFFER, IN},
	{fault_short_none, VIRTQ_BAD_RX_BUFFER, IN},
};

static int
setup(void **state)
{
	(void)state;
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_guest_stop(&guest);
	free(batch);
	return 0;
}

static uint16_t
pop(struct ring_driver *from)
{
	uint64_t bad = 0;
	uint16_t n = virtq_pop(&from->ring, batch, frames, FRAME_BURST, &bad);

	assert_int_equal(bad, 0);
	virtq_pop_done(&from->ring, batch);
	return n;
}

static uint16_t
push(struct ring_driver *to, uint16_t n)
{
	const struct frame_segment segment = {bytes, FRAME_LEN};
	struct frame frame = {.segment = &segment,
		.segments = 1,
		.head = bytes,
		.head_len = VIRTQ_HEAD,
		.len = FRAME_LEN};
	struct frame *list[FRAME_BURST];
	struct virtq_result result;

	for (uint16_t i = 0; i < n; i++)
		list[i] = &frame;
	uint16_t done = virtq_push(&to->ring, list, n, &result);
	assert_int_equal(__builtin_popcount(result.too_long), 0);
	assert_int_equal(result.sent, done);
	assert_int_equal(result.bytes, done * FRAME_LEN);
	return done;
}

/** Good buffers before and after, at addresses that are not compared. */
static void
add_good(struct ring_driver *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_add(to,
			&(struct ring_part){
				RING_LOW + (1 << 20) + i * 4096, 12 + FRAME_LEN, flag()},
			1);
}

static void
run_fault(unsigned i, unsigned before, bool mergeable)
{
	bool early = faults[i].fault == VIRTQ_BAD_INDEX;
	struct vring_used_elem entry;

	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .mergeable = mergeable});
	ring_start(&other, &guest, 1, &(struct ring_options){.ops = ops, .mergeable = mergeable});
	add_good(&driver, before);
	faults[i].make();
	if (!early)
		add_good(&driver, AFTER);
	uint64_t digest = ring_digest(&guest, WATCHED);
	uint16_t n = writable ? push(&driver, FRAME_BURST) : pop(&driver);
	if (driver.ring.broken != (int)faults[i].fault)
		fail_msg("fault %u: '%s' instead of '%s'", i,
			virtq_fault_text((enum virtq_fault)driver.ring.broken),
			virtq_fault_text(faults[i].fault));
	/* The buffers before the fault are used and returned, no other is. */
	before = early ? 0 : before;
	assert_int_equal(n, before);
	assert_int_equal(driver.ring.last_used, before);
	assert_int_equal(driver.ring.last_avail, before);
	for (unsigned j = 0; j < before; j++)
		assert_true(ring_used(&driver, &entry));
	assert_false(ring_used(&driver, &entry));
	assert_true(ring_digest(&guest, WATCHED) == digest);
	/* The ring stays broken, even if the guest writes valid descriptors. */
	driver.avail->idx = (uint16_t)(driver.ring.last_avail + 1);
	driver.avail->ring[driver.ring.last_avail] = 0;
	driver.desc[0] = (struct vring_desc){RING_LOW, 1000, flag(), 0};
	assert_int_equal(writable ? push(&driver, 1) : pop(&driver), 0);
	assert_int_equal(driver.ring.broken, faults[i].fault);
	/* Another ring of the guest continues. */
	add_good(&other, 3);
	assert_int_equal(writable ? push(&other, 3) : pop(&other), 3);
	assert_int_equal(other.ring.broken, VIRTQ_GOOD);
	ring_stop(&driver);
	ring_stop(&other);
}

static void
test_pop(void **state)
{
	(void)state;
	writable = false;
	for (unsigned i = 0; i < COUNT(faults); i++)
		for (unsigned before = 0; before < BEFORE && (faults[i].way & OUT) != 0;
			before += 3)
			run_fault(i, before, false);
}

static void
test_push(void **state)
{
	(void)state;
	writable = true;
	for (unsigned i = 0; i < COUNT(faults); i++)
		for (unsigned before = 0; before < BEFORE; before += 3) {
			run_fault(i, before, false);
			run_fault(i, before, true);
		}
}

/* A frame that needs several buffers, of which a later one is bad: the first is not used either. */
static void
test_push_merging(void **state)
{
	struct vring_used_elem entry;

	(void)state;
	writable = true;
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops, .mergeable = true});
	add(RING_LOW, 100, flag());
	add(RING_LOW + 4096, 100, flag());
	add(RING_NONE, 1000, flag());
	uint64_t digest = ring_digest(&guest, WATCHED);
	assert_int_equal(push(&driver, 2), 0);
	assert_int_equal(driver.ring.broken, VIRTQ_BAD_ADDRESS);
	assert_false(ring_used(&driver, &entry));
	assert_true(ring_digest(&guest, WATCHED) == digest);
	ring_stop(&driver);
}

static void
test_texts(void **state)
{
	(void)state;
	for (int fault = VIRTQ_BAD_INDEX; fault <= VIRTQ_CONTROL_QUEUE; fault++)
		assert_true(strlen(virtq_fault_text((enum virtq_fault)fault)) > 10);
	assert_string_equal(virtq_fault_text(VIRTQ_GOOD), "");
}

/* Configurations that no ring can have. */
static void
test_setup(void **state)
{
	static const uint16_t sizes[] = {0, 3, 255, 32769, 65535};
	struct virtq ring;

	(void)state;
	writable = false;
	ring_start(&driver, &guest, 0, &(struct ring_options){.ops = ops});
	const struct virtq_setup good = {.desc = driver.desc,
		.avail = driver.avail,
		.used = driver.used,
		.memory = &guest.memory,
		.size = 256,
		.header_len = 12};
	assert_int_equal(virtq_init(&ring, &good), 0);
	assert_ptr_equal(ring.ops, virtq_ops_at(0));
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		struct virtq_setup setup_size = good;
		setup_size.size = sizes[i];
		assert_true(virtq_init(&ring, &setup_size) < 0);
	}
	for (unsigned odd = 1; odd <= 16; odd++) {
		struct virtq_setup desc = good, avail = good, used = good;
		desc.desc = (struct vring_desc *)((uintptr_t)good.desc + odd);
		avail.avail = (struct vring_avail *)((uintptr_t)good.avail + odd);
		used.used = (struct vring_used *)((uintptr_t)good.used + odd);
		assert_int_equal(virtq_init(&ring, &desc) == 0, odd % 16 == 0);
		assert_int_equal(virtq_init(&ring, &avail) == 0, odd % 2 == 0);
		assert_int_equal(virtq_init(&ring, &used) == 0, odd % 4 == 0);
	}
	for (unsigned len = 0; len < 256; len++) {
		struct virtq_setup header = good;
		header.header_len = (uint8_t)len;
		assert_int_equal(virtq_init(&ring, &header) == 0, len == 10 || len == 12);
	}
	ring_stop(&driver);
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push_merging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_setup, setup, teardown),
		cmocka_unit_test(test_texts),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i)) != NULL; i++)
		failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
	return failed;
}
