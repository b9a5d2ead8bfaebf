/* SPDX-License-Identifier: BSD-3-Clause */
/* shunt-vm: lost, duplicated and reordered frames are counted exactly; histogram; checksums. */
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "histogram.h"
#include "sequence.h"
#include "unit.h"

static struct sequence sequence;
static struct sequence_order order;

static int
reset(void **state)
{
	(void)state;
	memset(&sequence, 0, sizeof(sequence));
	order = (struct sequence_order){0};
	return 0;
}

static void
add(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i != to; i++)
		sequence_add(&sequence, &order, i);
}

static void
expect(uint64_t sent, uint64_t lost, uint64_t duplicated, uint64_t reordered)
{
	assert_int_equal(sent - sequence.received, lost);
	assert_int_equal(sequence.duplicated, duplicated);
	assert_int_equal(sequence.reordered, reordered);
}

static void
test_clean(void **state)
{
	(void)state;
	add(0, 1000000);
	expect(1000000, 0, 0, 0);
}

static void
test_one_in_100000_lost(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000000; i++)
		if (i % 100000 != 77)
			add(i, i + 1);
	expect(1000000, 10, 0, 0);
}

static void
test_duplicate(void **state)
{
	(void)state;
	add(0, 500);
	add(499, 500);
	add(500, 1000);
	add(100, 101);
	expect(1000, 0, 2, 0);
}

static void
test_swap(void **state)
{
	(void)state;
	add(0, 500);
	add(501, 502);
	add(500, 501);
	add(502, 1000);
	expect(1000, 0, 0, 1);
}

static void
test_first_and_last_lost(void **state)
{
	(void)state;
	add(3, 990);
	expect(1000, 13, 0, 0);
}

/** A frame received after it was counted as lost is counted as reordered instead. */
static void
test_late(void **state)
{
	(void)state;
	add(0, 100);
	add(101, 60000);
	expect(60000, 1, 0, 0);
	add(100, 101);
	expect(60000, 0, 0, 1);
	add(100, 101);
	expect(60000, 0, 1, 1);
}

static void
test_wrap(void **state)
{
	(void)state;
	sequence.next = UINT64_C(0xffffff00);
	order.next = sequence.next;
	add(0xffffff00, 0xfffffffe);
	add(0xffffffff, 5);
	add(0xfffffffe, 0xffffffff);
	add(5, 300);
	assert_int_equal(sequence.next, UINT64_C(0x100000000) + 300);
	assert_int_equal(sequence.reordered, 1);
	assert_int_equal(sequence.duplicated, 0);
	assert_int_equal(sequence.received, 256 + 300);
}

/** A jump by more than the window discards the state before it. */
static void
test_long_gap(void **state)
{
	(void)state;
	add(0, 10);
	add(1000000, 1000010);
	expect(1000010, 999990, 0, 0);
	add(5, 6);
	expect(1000010, 999989, 0, 1);
}

/** Two receive queues may differ in progress; frames in each keep their order. */
static void
test_two_queues(void **state)
{
	struct sequence_order other = {0};

	(void)state;
	for (uint32_t i = 0; i < 1000; i += 2)
		add(i, i + 1);
	for (uint32_t i = 1; i < 1000; i += 2)
		sequence_add(&sequence, &other, i);
	expect(1000, 0, 0, 0);
}

static void
test_histogram(void **state)
{
	struct histogram *histogram = calloc(2, sizeof(*histogram));

	(void)state;
	assert_int_equal(histogram_quantile(histogram, 0.5), 0);
	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(&histogram[i % 2], i);
	histogram_merge(&histogram[0], &histogram[1]);
	assert_int_equal(histogram->total, 100000);
	assert_int_equal(histogram->max, 100000);
	assert_int_equal(histogram_quantile(histogram, 0.0001), 10);
	assert_uint_in_range(histogram_quantile(histogram, 0.5), 50000, 50800);
	assert_uint_in_range(histogram_quantile(histogram, 0.99), 99000, 100000);
	assert_int_equal(histogram_quantile(histogram, 1), 100000);
	histogram_add(histogram, UINT64_MAX);
	assert_true(histogram->max == UINT64_MAX);
	assert_true(histogram_quantile(histogram, 1) == UINT64_MAX);
	free(histogram);
}

static void
test_checksums(void **state)
{
	/* RFC 3720 B.4 and RFC 1071 section 3. */
	const uint8_t words[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint8_t bytes[99];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(checksum_crc32c(0, bytes, 32), 0x62a8ab43);
	assert_int_equal(checksum_crc32c_plain(0, bytes, 32), 0x62a8ab43);
	assert_int_equal(checksum_crc32c(checksum_crc32c(0, bytes, 50), bytes, 49),
		checksum_crc32c_plain(0, bytes, 99));
	assert_int_equal(checksum_fold(checksum_add(0, words, sizeof(words))), 0xffff ^ 0xddf2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_clean, reset),
		cmocka_unit_test_setup(test_one_in_100000_lost, reset),
		cmocka_unit_test_setup(test_duplicate, reset),
		cmocka_unit_test_setup(test_swap, reset),
		cmocka_unit_test_setup(test_first_and_last_lost, reset),
		cmocka_unit_test_setup(test_late, reset),
		cmocka_unit_test_setup(test_wrap, reset),
		cmocka_unit_test_setup(test_long_gap, reset),
		cmocka_unit_test_setup(test_two_queues, reset),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
