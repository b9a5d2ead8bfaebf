/* SPDX-License-Identifier: BSD-3-Clause */
/* Offload requests of a guest: checked, and passed on to another guest. */
#include "unit.h"

#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum { LONG = 65557 };

static const struct virtq_ops *ops;
static bool packed; /**< the kind of ring */
static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];

static int
setup(void **state)
{
	(void)state;
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

/** Pop a frame whose header is in a buffer of its own, or in the same. */
static uint16_t
pop_offload(const struct virtio_net_hdr *header, uint32_t len, bool apart)
{
	uint64_t bad = 0;
	const struct ring_part parts[] = {{RING_LOW, 12, 0}, {RING_LOW + 12, len, 0}};
	const struct ring_part part = {RING_LOW, 12 + len, 0};

	/* TCP headers of 20 bytes at every offset that may be requested. */
	ring_fill(&guest, RING_LOW + 12, 0x50, len);
	ring_write(&guest, RING_LOW, header, sizeof(*header));
	ring_add(&driver, apart ? parts : &part, apart ? 2 : 1);
	uint16_t n = virtq_pop(&driver.ring, batch, frames, FRAME_BURST, &bad);
	assert_int_equal(n + bad, 1);
	assert_int_equal(batch->popped, 1);
	virtq_pop_done(&driver.ring, batch);
	ring_reclaim(&driver);
	return n;
}

static void
test_checksum_grid(void **state)
{
	static const uint16_t starts[] = {
		0, 14, 34, 91, 92, 93, 97, 98, 99, 100, 257, 65534, 65535};
	static const uint16_t offsets[] = {0, 1, 6, 16, 83, 84, 255, 256, 257, 65534, 65535};

	(void)state;
	restart(&(struct ring_options){.offloads = FRAME_CSUM});
	for (unsigned i = 0; i < COUNT(starts) * COUNT(offsets) * 2; i++) {
		struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.csum_start = starts[i / 2 % COUNT(starts)],
			.csum_offset = offsets[i / 2 / COUNT(starts)]};
		uint32_t end = (uint32_t)header.csum_start + header.csum_offset + 2;
		for (uint32_t len = 99; len <= 101; len++) {
			bool good = end <= len;
			assert_int_equal(pop_offload(&header, len, i % 2), good);
			if (!good)
				continue;
			assert_int_equal(frames[0].offload.flags, FRAME_CSUM);
			assert_int_equal(frames[0].offload.csum_start, header.csum_start);
			assert_int_equal(frames[0].offload.csum_offset, header.csum_offset);
		}
	}
}

static void
test_requests(void **state)
{
	enum { CSUM = VIRTIO_NET_HDR_F_NEEDS_CSUM, VALID = VIRTIO_NET_HDR_F_DATA_VALID };
	enum { T4 = VIRTIO_NET_HDR_GSO_TCPV4, T6 = VIRTIO_NET_HDR_GSO_TCPV6, ALL = 7 };
	static const struct {
		struct virtio_net_hdr header;
		uint8_t offloads;
		uint32_t len;
		bool good;
		uint8_t flags;
	} cases[] = {
		{{CSUM, T4, 54, 1448, 34, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO4},
		{{CSUM, T6, 74, 1448, 54, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO6},
		{{CSUM, T4, 9999, 1, 34, 16}, ALL, 55, true, FRAME_CSUM | FRAME_TSO4},
		{{CSUM, T4, 54, 1448, 34, 16}, ALL, 54, false, 0}, /* no payload */
		{{CSUM, T4, 54, 1448, 34, 16}, FRAME_CSUM, 3000, false, 0},
		{{CSUM, T6, 54, 1448, 34, 16}, FRAME_CSUM | FRAME_TSO4, 3000, false, 0},
		{{CSUM, 0, 0, 0, 34, 16}, 0, 3000, false, 0},
		{{0, T4, 54, 1448, 34, 16}, ALL, 3000, false, 0}, /* without NEEDS_CSUM */
		{{VALID, T4, 54, 1448, 34, 16}, ALL, 3000, false, 0},
		{{CSUM, T4, 54, 0, 34, 16}, ALL, 3000, false, 0}, /* gso_size 0 */
		{{CSUM, T4 | VIRTIO_NET_HDR_GSO_ECN, 54, 1448, 34, 16}, ALL, 3000, false, 0},
		{{CSUM, VIRTIO_NET_HDR_GSO_UDP, 54, 1448, 34, 6}, ALL, 3000, false, 0},
		{{CSUM, 5, 54, 1448, 34, 6}, ALL, 3000, false, 0}, /* UDP_L4 */
		{{CSUM, 2, 54, 1448, 34, 6}, ALL, 3000, false, 0},
		{{CSUM, 0x80, 54, 1448, 34, 6}, ALL, 3000, false, 0},
		{{0, 0x80, 0, 0, 0, 0}, ALL, 3000, false, 0},
		{{CSUM, T4, 54, 1448, 103, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO4},
		/* TCP headers behind the copied head, up to the longest headers permitted. */
		{{CSUM, T4, 54, 1448, 104, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO4},
		{{CSUM, T6, 54, 1448, 116, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO6},
		{{CSUM, T6, 54, 1448, 492, 16}, ALL, 3000, true, FRAME_CSUM | FRAME_TSO6},
		{{CSUM, T6, 54, 1448, 493, 16}, ALL, 3000, false, 0},
		{{CSUM, T6, 54, 1448, 300, 16}, ALL, 320, false, 0}, /* no payload */
		{{CSUM, T6, 54, 1448, 300, 0}, ALL, 312, false,
			0}, /* ends before the field with the header length */
		{{CSUM, T4, 54, 1448, 65535, 16}, ALL, LONG, false, 0},
		{{VALID, 0, 65535, 65535, 65535, 65535}, 0, 60, true, 0},
		{{0xfe, 0, 65535, 65535, 65535, 65535}, ALL, 60, true, 0},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(cases); i++) {
		restart(&(struct ring_options){.offloads = cases[i / 2].offloads});
		if (pop_offload(&cases[i / 2].header, cases[i / 2].len, i % 2) != cases[i / 2].good)
			fail_msg("case %u", i / 2);
		if (!cases[i / 2].good)
			continue;
		assert_int_equal(frames[0].offload.flags, cases[i / 2].flags);
		if (cases[i / 2].flags & FRAME_TSO) {
			const struct virtio_net_hdr *header = &cases[i / 2].header;
			assert_int_equal(frames[0].offload.gso_size, header->gso_size);
			assert_int_equal(frames[0].offload.header_len, header->csum_start + 20);
		}
	}
}

static void
test_push(void **state)
{
	static const struct {
		struct frame_offload offload;
		struct virtio_net_hdr header;
	} cases[] = {
		{{FRAME_CSUM, 16, 34, 0, 0}, {1, 0, 0, 0, 34, 16}},
		{{FRAME_CSUM | FRAME_TSO4, 16, 34, 54, 1448}, {1, 1, 54, 1448, 34, 16}},
		{{FRAME_CSUM | FRAME_TSO6, 16, 54, 74, 1440}, {1, 4, 74, 1440, 54, 16}},
		{{0, 16, 34, 54, 1448}, {0, 0, 0, 0, 0, 0}},
	};
	static uint8_t bytes[3000];
	const struct frame_segment segment = {bytes, sizeof(bytes)};
	struct frame frame = {.segment = &segment,
			     .segments = 1,
			     .head = bytes,
			     .head_len = VIRTQ_HEAD,
			     .len = sizeof(bytes)},
		     *list = &frame;
	struct virtq_result result;

	(void)state;
	for (unsigned i = 0; i < 4 * COUNT(cases); i++) {
		restart(&(struct ring_options){.short_header = i & 1, .mergeable = (i & 3) == 2});
		uint16_t sizes[] = {i & 2 ? 2000 : 4000, 2000};
		/* In one buffer, or several, or two descriptors of one. */
		if ((i & 3) == 3)
			ring_add(&driver,
				(struct ring_part[]){{RING_LOW + 4096, 5, VRING_DESC_F_WRITE},
					{RING_LOW + 4101, 4000, VRING_DESC_F_WRITE}},
				2);
		else
			for (unsigned j = 0; j < 2; j++)
				ring_add(&driver,
					&(struct ring_part){RING_LOW + 4096 + j * 4000, sizes[j],
						VRING_DESC_F_WRITE},
					1);
		frame.offload = cases[i / 4].offload;
		assert_int_equal(virtq_push(&driver.ring, &list, 1, &result), 1);
		assert_int_equal(result.sent, 1);
		struct virtio_net_hdr header;
		ring_read(&guest, RING_LOW + 4096, &header, sizeof(header));
		assert_memory_equal(&header, &cases[i / 4].header, sizeof(header));
	}
}

int
main(void)
{
	int failed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_checksum_grid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_push, setup, teardown),
	};

	for (unsigned i = 0; (ops = virtq_ops_at(i / 2)) != NULL; i++) {
		packed = i % 2 == 1;
		failed += cmocka_run_group_tests_name(
			packed ? "packed" : ops->name, tests, NULL, NULL);
	}
	return failed;
}
