/* SPDX-License-Identifier: BSD-3-Clause */
/* shunt-vm: rings against a device in this process that completes in and out of order. */
#include <string.h>

#include "queue.h"
#include "unit.h"
#include "vm.h"

enum { SIZE = 64, SLOT = 256 };

static struct memory memory;
static struct queue queue;

/** The device's side. */
struct device {
	uint16_t next;      /**< counts of slots taken */
	uint16_t used;      /**< and completed */
	uint16_t ids[SIZE]; /**< taken: head or buffer id */
	uint32_t bytes[SIZE];
	unsigned n;
};

static struct device device;

static void
open_queue(bool packed, bool indirect, unsigned segments)
{
	struct queue_config config = {
		.packed = packed,
		.indirect = indirect,
		.size = SIZE,
		.segments = (uint16_t)segments,
		.slot_bytes = SLOT,
	};

	device = (struct device){0};
	assert_int_equal(memory_open(&memory, queue_bytes(&config), 1, true, NULL), 0);
	assert_int_equal(queue_open(&queue, &config, &memory), 0);
}

static void
close_queue(void)
{
	queue_close(&queue);
	memory_close(&memory);
}

static uint8_t *
at(uint64_t guest)
{
	assert_uint_in_range(guest, MEMORY_BASE, MEMORY_BASE + memory.size - 1);
	return memory.base + (guest - MEMORY_BASE);
}

static bool
wrap_of(uint16_t count)
{
	return !(count / queue.slots & 1);
}

/** The bytes of a split chain. */
static uint32_t
chain_bytes(const struct split_desc *table, unsigned i)
{
	uint32_t sum = 0;

	for (unsigned n = 0;; n++) {
		assert_uint_in_range(n, 0, SIZE - 1);
		at(table[i].addr);
		sum += table[i].len;
		if (!(table[i].flags & VRING_DESC_NEXT))
			return sum;
		i = table[i].next;
	}
}

static void
take_split(void)
{
	while (device.next != queue.avail_ring->idx) {
		uint16_t head = queue.avail_ring->ring[device.next++ % SIZE];
		const struct split_desc *desc = &queue.desc[head];

		assert_uint_in_range(head, 0, SIZE - 1);
		device.ids[device.n] = head;
		device.bytes[device.n++] =
			desc->flags & VRING_DESC_INDIRECT
				? chain_bytes((const struct split_desc *)at(desc->addr), 0)
				: chain_bytes(queue.desc, head);
	}
}

static void
take_packed(void)
{
	for (;; device.next++) {
		struct packed_desc *desc = &queue.pdesc[device.next % queue.slots * queue.entries];
		bool wrap = wrap_of(device.next);
		uint32_t bytes = 0;

		if (!!(desc->flags & VRING_PACKED_AVAIL) != wrap ||
			!!(desc->flags & VRING_PACKED_USED) == wrap || device.n == queue.slots)
			return;
		for (unsigned i = 0; i < queue.entries; i++) {
			at(desc[i].addr);
			bytes += desc[i].len;
			assert_int_equal(
				!!(desc[i].flags & VRING_DESC_NEXT), i + 1 < queue.entries);
			assert_int_equal(!!(desc[i].flags & VRING_PACKED_AVAIL), wrap);
		}
		device.ids[device.n] = desc->id;
		device.bytes[device.n++] = bytes;
	}
}

static void
take(void)
{
	if (queue.config.packed)
		take_packed();
	else
		take_split();
}

/** Complete entry k of those taken. */
static void
complete(unsigned k, uint32_t length)
{
	uint16_t id = device.ids[k];

	if (queue.config.packed) {
		struct packed_desc *desc = &queue.pdesc[device.used % queue.slots * queue.entries];

		desc->id = id;
		desc->len = length;
		desc->flags = wrap_of(device.used) ? VRING_PACKED_AVAIL | VRING_PACKED_USED : 0;
	} else {
		queue.used_ring->ring[device.used % SIZE] =
			(struct split_used_elem){.id = id, .len = length};
		queue.used_ring->idx++;
	}
	device.used++;
}

/** Post n, take, complete in an order, consume; all counts must agree. */
static void
exchange(unsigned n, unsigned step)
{
	unsigned seen[SIZE] = {0};

	device.n = 0;
	for (unsigned i = 0; i < n; i++)
		queue_set_length(&queue, queue_slot(&queue, i), 60 + i);
	queue_post(&queue, n);
	take();
	assert_int_equal(device.n, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(device.bytes[i], queue.config.indirect && queue.config.packed
							  ? 16U * queue.config.segments
							  : 60 + i);
	for (unsigned i = 0; i < n; i++)
		complete(i * step % n, 100 + i);
	assert_int_equal(queue_poll(&queue, n), n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(queue_done_length(&queue, i), 100 + i);
		seen[queue_done_slot(&queue, i)]++;
	}
	for (unsigned i = 0; i < SIZE; i++)
		assert_uint_in_range(seen[i], 0, 1);
	queue_consume(&queue, n);
	assert_int_equal(queue_space(&queue), queue.slots);
	assert_false(queue.broken);
}

static void
test_layouts(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++)
		for (unsigned indirect = 0; indirect < 2; indirect++)
			for (unsigned segments = 1; segments <= 8; segments *= 2) {
				open_queue(packed, indirect, segments);
				/* Odd numbers, so that batches span the wrap. */
				for (unsigned round = 0; round < 100; round++)
					exchange(1 + round * 5 % queue.slots, 1);
				assert_true(queue.ordered);
				close_queue();
			}
}

static void
test_out_of_order(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++)
		for (unsigned segments = 1; segments <= 4; segments *= 4) {
			open_queue(packed, false, segments);
			exchange(7, 1);
			assert_true(queue.ordered);
			for (unsigned round = 0; round < 100; round++)
				exchange(7, 3);
			assert_false(queue.ordered);
			exchange(queue.slots, 1);
			queue_reset(&queue);
			device = (struct device){0};
			exchange(7, 1);
			assert_true(queue.ordered);
			close_queue();
		}
}

/** 65536 posts and more: counts wrap. */
static void
test_wrap(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		open_queue(packed, false, 1);
		for (unsigned round = 0; round < 3000; round++)
			exchange(63, 1);
		assert_true(queue.ordered);
		close_queue();
	}
}

static void
test_in_order_batch(void **state)
{
	(void)state;
	open_queue(true, false, 2);
	queue.config.in_order = true;
	for (unsigned round = 0; round < 50; round++) {
		device.n = 0;
		queue_post(&queue, 5);
		take();
		/*
		 * One used entry reports that all five are completed, and is written where the
		 * first was.
		 */
		struct packed_desc *desc = &queue.pdesc[device.used % queue.slots * queue.entries];
		desc->id = device.ids[4];
		desc->flags = wrap_of(device.used) ? VRING_PACKED_AVAIL | VRING_PACKED_USED : 0;
		device.used = (uint16_t)(device.used + 5);
		assert_int_equal(queue_poll(&queue, queue.slots), 5);
		queue_consume(&queue, 5);
	}
	assert_false(queue.broken);
	close_queue();
}

static void
break_with(bool packed, unsigned id)
{
	open_queue(packed, false, 1);
	queue_post(&queue, 3);
	take();
	device.ids[0] = (uint16_t)id;
	complete(0, 0);
	assert_int_equal(queue_poll(&queue, SIZE), 0);
	assert_true(queue.broken);
	close_queue();
}

/** Ids that were never posted, and too many completions. */
static void
test_broken(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		break_with(packed, 3);
		break_with(packed, SIZE);
		break_with(packed, UINT16_MAX);
	}
	open_queue(false, false, 1);
	queue_post(&queue, 3);
	queue.used_ring->idx = 4;
	assert_int_equal(queue_poll(&queue, SIZE), 0);
	assert_true(queue.broken);
	close_queue();
	open_queue(false, false, 1);
	queue_post(&queue, 3);
	take();
	complete(2, 0);
	complete(2, 0);
	queue_consume(&queue, queue_poll(&queue, SIZE));
	assert_true(queue.broken);
	close_queue();
}

static void
test_base(void **state)
{
	(void)state;
	open_queue(false, false, 1);
	exchange(63, 1);
	exchange(3, 1);
	assert_int_equal(queue_base(&queue), 66);
	assert_true(queue_agrees(&queue, 66));
	assert_false(queue_agrees(&queue, 65));
	close_queue();
	open_queue(true, false, 2);
	assert_int_equal(queue_base(&queue), 0x80008000);
	exchange(31, 1);
	exchange(3, 1);
	assert_int_equal(queue_base(&queue), 0x00040004);
	assert_true(queue_agrees(&queue, 0x4));
	assert_false(queue_agrees(&queue, 0x8004));
	close_queue();
}

/** Rings of VMs side by side in huge pages begin in different sets of a cache. */
/*
 * Descriptors that were never posted are zero, as drivers leave them; those before keep their
 * place.
 */
static void
test_only_posted(void **state)
{
	(void)state;
	open_queue(true, false, 2);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned n = 0; n < 3; n++) {
			for (unsigned i = 0; i < SIZE; i++)
				assert_int_equal(queue.pdesc[i].addr != 0, i < 2 * 5 * n);
			queue_set_length(&queue, 5 * n, SLOT / 2);
			queue_post(&queue, 5);
		}
		queue_post(&queue, queue_space(&queue));
		for (unsigned i = 0; i < SIZE; i++)
			assert_int_not_equal(queue.pdesc[i].addr, 0);
		queue_reset(&queue);
	}
	close_queue();
}

static void
test_cache_sets(void **state)
{
	enum { VMS = 32 };
	const struct vm_frames frames = {.receive = 1518, .send = 1518};
	static struct vm vm;
	struct vm_config config;
	bool seen[VMS] = {false};
	uint64_t first = 0;

	(void)state;
	vm_defaults(&config, 0);
	for (unsigned i = 0; i < VMS; i++) {
		config.regions = 1 + i % 3;
		assert_int_equal(vm_open(&vm, &config, &frames, i, 0, &(struct err){0}), 0);
		uint64_t at = memory_gpa(&vm.memory, vm_tx(&vm, 0)->avail_ring) - MEMORY_BASE;
		const struct queue *last = vm_tx(&vm, 0);
		first = i == 0 ? at : first;
		assert_int_equal(at % 4096, first % 4096);
		assert_false(seen[at / 4096 % VMS]);
		seen[at / 4096 % VMS] = true;
		assert_uint_in_range(last->data_gpa + (uint64_t)last->slots * last->stride,
			MEMORY_BASE, MEMORY_BASE + vm.memory.size);
		assert_int_equal(vm.memory.size % MEMORY_HUGE, 0);
		vm_close(&vm);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_in_order_batch),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_only_posted),
		cmocka_unit_test(test_cache_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
