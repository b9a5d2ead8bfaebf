/* SPDX-License-Identifier: BSD-3-Clause */
/* shunt-vm: frames have the contents specified, and every change is detected. */
#include <string.h>

#include "frame.h"
#include "unit.h"

static uint8_t frame[FRAME_BUFFER_MAX];
static const struct net_header no_promise;

static struct frame_spec
spec_of(uint32_t bytes, unsigned vlan)
{
	return (struct frame_spec){.dst = 0x665544332202,
		.src = 0x010000000002,
		.flow = 7,
		.vlan = (uint16_t)vlan,
		.bytes = bytes};
}

static void
test_round_trip(void **state)
{
	const uint32_t sizes[] = {60, 61, 64, 128, 1514, 9014};
	struct frame_seen seen;

	(void)state;
	for (unsigned i = 0; i < COUNT(sizes); i++)
		for (unsigned vlan = 0; vlan < 2; vlan++)
			for (unsigned fresh = 0; fresh < 2; fresh++) {
				struct frame_spec spec = spec_of(sizes[i], vlan);

				frame_build(frame, &spec);
				frame_seal(frame, spec.bytes, FRAME_LIVE, 12345, 678, fresh);
				assert_int_equal(frame_check(frame, spec.bytes, &no_promise, &seen),
					FRAME_GOOD);
				assert_int_equal(seen.flow, 7);
				assert_int_equal(seen.mark.number, 12345);
				assert_int_equal(seen.mark.stamp, 678);
			}
}

/** Any byte behind the flow's number. */
static void
test_every_damage(void **state)
{
	struct frame_spec spec = spec_of(200, 0);
	struct frame_seen seen;

	(void)state;
	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_LIVE, 1, 2, true);
	for (unsigned i = 42; i < spec.bytes; i++) {
		frame[i] ^= 0x10;
		assert_int_equal(frame_check(frame, spec.bytes, &no_promise, &seen), FRAME_CORRUPT);
		frame[i] ^= 0x10;
	}
	assert_int_equal(frame_check(frame, spec.bytes - 1, &no_promise, &seen), FRAME_CORRUPT);
	assert_int_equal(frame_check(frame, 14, &no_promise, &seen), FRAME_FOREIGN);
	assert_int_equal(frame_check(frame, 0, &no_promise, &seen), FRAME_FOREIGN);
	frame[12] = 0x86; /* not IPv4 */
	assert_int_equal(frame_check(frame, spec.bytes, &no_promise, &seen), FRAME_FOREIGN);
}

/** A switch may remove the tag, or pad. */
static void
test_untagged(void **state)
{
	struct frame_spec spec = spec_of(60, 5);
	struct frame_seen seen;

	(void)state;
	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_LIVE, 1, 2, true);
	memmove(frame + 12, frame + 16, 44);
	assert_int_equal(frame_check(frame, 56, &no_promise, &seen), FRAME_GOOD);
	memset(frame + 56, 0, 4);
	assert_int_equal(frame_check(frame, 60, &no_promise, &seen), FRAME_GOOD);
}

/**
 * A checksum that was left to the device must be right at the receiver, or its header must request
 * it again.
 */
static void
test_checksum_offload(void **state)
{
	struct frame_spec spec = spec_of(200, 0);
	struct net_header header;
	struct frame_seen seen;

	(void)state;
	spec.csum = true;
	header = frame_header(&spec);
	assert_int_equal(header.flags, NET_NEEDS_CSUM);
	assert_int_equal(header.csum_start, 34);
	assert_int_equal(header.csum_offset, 6);
	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_LIVE, 1, 2, true);
	assert_int_equal(frame_check(frame, spec.bytes, &header, &seen), FRAME_GOOD);
	assert_int_equal(frame_check(frame, spec.bytes, &no_promise, &seen), FRAME_CORRUPT);
}

static void
test_tso(void **state)
{
	struct frame_spec spec = spec_of(FRAME_TSO_BYTES, 0);
	struct net_header header;
	struct frame_seen seen;

	(void)state;
	spec.tso = true;
	header = frame_header(&spec);
	assert_int_equal(header.gso_type, NET_GSO_TCPV4);
	assert_int_equal(header.gso_size, FRAME_TSO_MSS);
	assert_int_equal(header.hdr_len, 54);
	frame_build(frame, &spec);
	frame_seal(frame, spec.bytes, FRAME_LIVE, 9, 2, true);
	assert_int_equal(frame_check(frame, spec.bytes, &header, &seen), FRAME_GOOD);
	assert_int_equal(seen.mark.number, 9);
}

static void
test_shapes(void **state)
{
	const char *const wrong[] = {"", "63", "9019", "64x", "x", "-64", "imixx"};
	struct frame_shape shape;
	struct err err;

	(void)state;
	assert_int_equal(frame_shape_parse(&shape, "64", &err), 0);
	assert_int_equal(shape.max, 60);
	assert_int_equal(frame_shape_parse(&shape, "imix", &err), 0);
	assert_int_equal(shape.max, 1514);
	assert_int_equal((int)(frame_shape_mean(&shape) * 12), 7 * 60 + 4 * 590 + 1514);
	assert_int_equal(frame_shape_parse(&shape, "tso", &err), 0);
	assert_true(shape.max > 65000);
	for (unsigned i = 0; i < COUNT(wrong); i++)
		assert_true(frame_shape_parse(&shape, wrong[i], &err) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_damage),
		cmocka_unit_test(test_untagged),
		cmocka_unit_test(test_checksum_offload),
		cmocka_unit_test(test_tso),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
