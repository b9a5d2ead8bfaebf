/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in flight that are to be segmented, with headers longer than the copied head. */
#include "unit.h"

#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/convert.h"
#include "frame/offload.h"
#include "packets.h"
#include "ring_help.h"

enum { SIZE = 64, HEADER = 12 };

static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_batch *batch;
static struct inflight *inflight;
static struct frame frames[FRAME_BURST];
static uint8_t bytes[4096], seen[4096];

static int
setup(void **state)
{
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0, &(struct ring_options){.size = SIZE, .offloads = 7});
	inflight = inflight_create(SIZE);
	driver.ring.inflight = inflight;
	return inflight == NULL ? -1 : eal_test_setup(state);
}

static int
teardown(void **state)
{
	ring_stop(&driver);
	ring_guest_stop(&guest);
	inflight_destroy(inflight);
	free(batch);
	return eal_test_teardown(state);
}

/** All headers of the segments are in the first mbuf, however much of them was copied before. */
static void
test_long_headers(void **state)
{
	const struct packet packet = {
		.ipv6 = true, .segments = 10, .left = 10, .tcp_options = 20, .payload = 3000};
	uint16_t headers = packet_headers(&packet);
	const struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
		.gso_size = 1000,
		.csum_start = packet_l4(&packet),
		.csum_offset = PACKET_TCP_CSUM};
	uint64_t bad = 0;
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];

	(void)state;
	assert_true(headers > VIRTQ_HEAD);
	packet_write(&packet, bytes);
	ring_write(&guest, RING_LOW + 4096, &header, sizeof(header));
	ring_write(&guest, RING_LOW + 4096 + HEADER, bytes, packet_length(&packet));
	ring_add(&driver, &(struct ring_part){RING_LOW + 4096, HEADER + packet_length(&packet), 0},
		1);
	assert_int_equal(virtq_pop(&driver.ring, batch, frames, 1, &bad), 1);
	assert_int_equal(frames[0].offload.header_len, headers);
	struct rte_mbuf *mbuf = convert_zero_copy(&frames[0], eal_fixture_pool(), NULL);
	assert_non_null(mbuf);
	assert_int_equal(mbuf->data_len, headers);
	assert_int_equal(packet_read(mbuf, seen), packet_length(&packet));
	assert_memory_equal(seen, bytes, packet_length(&packet));
	assert_int_equal(offload_segment(&frames[0].offload, mbuf, segments), 3);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t length = packet_read(segments[i], seen);
		assert_null(packet_wrong(seen, length));
		assert_memory_equal(seen + headers, bytes + headers + i * 1000, 1000);
	}
	rte_pktmbuf_free_bulk(segments, 3);
	rte_pktmbuf_free(mbuf);
	virtq_pop_done(&driver.ring, batch);
	virtq_reclaim(&driver.ring, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_long_headers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
