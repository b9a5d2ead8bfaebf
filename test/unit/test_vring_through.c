/* SPDX-License-Identifier: BSD-3-Clause */
/* From one guest's ring to another's, or into mbufs, while the sender changes its memory. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include "eal_fixture.h"
#include "frame/convert.h"
#include "packets.h"
#include "ring_help.h"

enum { LONG = 65549, ROUNDS = 400, FLIPS = 3000, SLOT = 70000 };

static const struct virtq_ops *ops;
static bool packed; /**< the kind of ring */
static struct ring_guest sender, receiver;
static struct ring_driver from, to;
static struct virtq_batch *batch;
static struct frame frames[FRAME_BURST];
static struct frame *list[FRAME_BURST];
static uint64_t bad;
static uint8_t bytes[LONG], seen[LONG + 12];
static uint32_t seed;

static int
setup(void **state)
{
	(void)state;
	seed = 1;
	bad = 0;
	batch = aligned_alloc(64, sizeof(*batch));
	for (unsigned i = 0; i < FRAME_BURST; i++)
		list[i] = &frames[i];
	ring_guest_start(&sender);
	ring_guest_start(&receiver);
	ring_start(&from, &sender, 0,
		&(struct ring_options){
			.ops = ops, .packed = packed, .first = 65000, .offloads = 7});
	ring_start(&to, &receiver, 0,
		&(struct ring_options){
			.ops = ops, .packed = packed, .first = 64900, .mergeable = true});
	return eal_test_setup(state);
}

static int
teardown(void **state)
{
	ring_stop(&from);
	ring_stop(&to);
	ring_guest_stop(&sender);
	ring_guest_stop(&receiver);
	free(batch);
	return eal_test_teardown(state);
}

static uint32_t
random_length(void)
{
	switch (unit_random(&seed, 8)) {
	case 0:
		return 1 + unit_random(&seed, 60000);
	case 1:
		return 1 + unit_random(&seed, 9000);
	case 2:
	case 3:
		return 1 + unit_random(&seed, 1500);
	default:
		return 1 + unit_random(&seed, 300);
	}
}

/** A frame in a random number of buffers of random sizes. */
static void
send_random(uint64_t addr, uint32_t len, uint32_t pattern)
{
	struct ring_part parts[12];
	uint32_t left = len + 12, n = 0, at = 0;

	ring_pattern(bytes, len, pattern);
	ring_fill(&sender, addr, 0, 12);
	ring_write(&sender, addr + 12, bytes, len);
	for (uint32_t most = 1 + unit_random(&seed, 12); left > 0; n++) {
		uint32_t part = n + 1 < most ? 1 + unit_random(&seed, left) : left;
		parts[n] = (struct ring_part){addr + at, part, 0};
		at += part;
		left -= part;
	}
	if (unit_random(&seed, 2))
		ring_add_indirect(&from, addr + SLOT - 256, parts, n);
	else
		ring_add(&from, parts, n);
}

/** Read the next frame of the receiver's ring. @return its length */
static uint32_t
receive(void)
{
	struct vring_used_elem entry;
	uint16_t buffers = 1, header;
	uint32_t at = 0;

	for (uint16_t i = 0; i < buffers; i++) {
		assert_true(ring_used(&to, &entry));
		assert_uint_in_range(entry.id, 0, to.size - 1);
		assert_uint_in_range(entry.len, 1, sizeof(seen) - at);
		ring_read(&receiver, to.addr[entry.id], seen + at, entry.len);
		at += entry.len;
		memcpy(&header, seen + 10, 2);
		buffers = header;
	}
	return at - 12;
}

static void
provide(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ring_add(&to,
			&(struct ring_part){RING_LOW + to.next_desc * 4096u,
				1 + 2047 + unit_random(&seed, 2048), VRING_DESC_F_WRITE},
			1);
}

static void
test_all(void **state)
{
	struct virtq_result result;
	struct vring_used_elem entry;
	uint64_t sent = 0;

	(void)state;
	provide(256);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t lens[8], n = 1 + unit_random(&seed, 8);
		for (uint32_t i = 0; i < n; i++)
			send_random(RING_LOW + i * SLOT, lens[i] = random_length(), round * 8 + i);
		uint16_t got = virtq_pop(&from.ring, batch, frames, FRAME_BURST, &bad);
		assert_int_equal(got, n);
		assert_int_equal(virtq_push(&to.ring, list, got, &result), n);
		assert_int_equal(result.sent, n);
		virtq_pop_done(&from.ring, batch);
		for (uint32_t i = 0; i < n; i++)
			assert_true(ring_used(&from, &entry));
		sent += n;
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(receive(), lens[i]);
			ring_pattern(bytes, lens[i], round * 8 + i);
			assert_memory_equal(seen + 12, bytes, lens[i]);
		}
		assert_false(ring_used(&to, &entry));
		provide((uint16_t)(256 - (uint16_t)(to.avail_next - to.used_seen)));
	}
	assert_int_equal(bad, 0);
	assert_int_equal(from.used_seen, (uint16_t)(65000 + sent));
	assert_false(ring_used(&from, &entry));
}

/** Invalidate all descriptors; of a packed ring, except for AVAIL and USED. */
static void
invalidate_descriptors(void)
{
	const struct virtq_packed_desc all = {
		.addr = UINT64_MAX, .len = UINT32_MAX, .id = UINT16_MAX, .flags = 0x7f7f};

	for (unsigned i = 0; i < from.size; i++) {
		from.packed_desc[i].addr |= all.addr;
		from.packed_desc[i].word |= packed ? all.word : UINT64_MAX;
	}
}

/* The classified head is delivered, whatever the sender's memory contains by then. */
static void
test_changed(void **state)
{
	static const uint32_t lens[] = {1, 60, 127, 128, 129, 300, 1514, 9014, LONG};
	struct virtq_result result;

	(void)state;
	provide(256);
	for (unsigned i = 0; i < 2 * COUNT(lens); i++) {
		uint32_t len = lens[i / 2], head = len < VIRTQ_HEAD ? len : VIRTQ_HEAD;
		const struct ring_part one = {RING_LOW, len + 12, 0};
		if (i % 2) {
			send_random(RING_LOW, len, i);
		} else {
			ring_pattern(bytes, len, i);
			ring_fill(&sender, RING_LOW, 0, 12);
			ring_write(&sender, RING_LOW + 12, bytes, len);
			ring_add(&from, &one, 1);
		}
		assert_int_equal(virtq_pop(&from.ring, batch, frames, FRAME_BURST, &bad), 1);
		/* The descriptors are changed as well. */
		ring_fill(&sender, RING_LOW, 0x77, SLOT);
		invalidate_descriptors();
		assert_int_equal(virtq_push(&to.ring, list, 1, &result), 1);
		virtq_pop_done(&from.ring, batch);
		ring_reclaim(&from);
		assert_int_equal(receive(), len);
		for (unsigned j = 0; j < 10; j++)
			assert_int_equal(seen[j], 0);
		ring_pattern(bytes, len, i);
		assert_memory_equal(seen + 12, bytes, head);
		for (uint32_t j = head; j < len; j++)
			assert_int_equal(seen[12 + j], 0x77);
		provide((uint16_t)(256 - (uint16_t)(to.avail_next - to.used_seen)));
	}
}

static atomic_bool stop;

/* A sender that keeps changing addresses, lengths, flags, headers and offload requests. */
static void *
flip(void *arg)
{
	struct virtio_net_hdr header = {
		.flags = 1, .gso_type = 1, .gso_size = 100, .csum_start = 34, .csum_offset = 16};

	(void)arg;
	for (uint32_t i = 0; !atomic_load(&stop); i++) {
		volatile struct vring_desc *desc = &from.desc[i % 8];
		desc->addr = RING_HIGH - 4096 + i % 2 * 2000;
		desc->len = i % 3 == 0 ? 3000 : i % 7;
		desc->flags = i % 5 == 0 ? VRING_DESC_F_NEXT : 0;
		desc->next = (uint16_t)((i + 1) % 8);
		header.csum_start = (uint16_t)(i % 4 == 0 ? i : 34);
		header.gso_type = i % 3 == 0;
		memcpy(ring_at(&sender, RING_HIGH - 4096 + i % 2 * 2000), &header, sizeof(header));
		memset(ring_at(&sender, RING_HIGH - 4096 + i % 2 * 2000) + 12, (int)i & 0x5f, 300);
	}
	return NULL;
}

static void
test_flipping(void **state)
{
	static uint8_t heads[FRAME_BURST][VIRTQ_HEAD];
	struct virtq_result result;
	unsigned received = 0;
	pthread_t thread;

	(void)state;
	/* Packed rings: see test_vring_packed. */
	if (packed)
		return;
	for (uint16_t i = 0; i < 8; i++)
		ring_add(&from, &(struct ring_part){RING_HIGH - 4096, 3000, 0}, 1);
	provide(256);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
	for (unsigned round = 0; round < FLIPS; round++) {
		uint16_t n = virtq_pop(&from.ring, batch, frames, 8, &bad);
		for (uint16_t i = 0; i < n; i++)
			memcpy(heads[i], frames[i].head, frames[i].head_len);
		for (uint16_t i = 0; i < n; i++) {
			const struct frame_offload *offload = &frames[i].offload;
			assert_true(
				offload->flags == 0 ||
				offload->csum_start + offload->csum_offset + 2u <= frames[i].len);
		}
		assert_int_equal(virtq_push(&to.ring, list, n, &result), n);
		assert_int_equal(result.sent, n);
		received += n;
		for (uint16_t i = 0; i < n; i++) {
			assert_int_equal(receive(), frames[i].len);
			assert_memory_equal(seen + 12, heads[i], frames[i].head_len);
		}
		virtq_pop_done(&from.ring, batch);
		for (uint16_t i = 0; i < batch->popped; i++)
			ring_add_head(&from, i % 8);
		provide((uint16_t)(256 - (uint16_t)(to.avail_next - to.used_seen)));
		/* The ring may be broken, but only for a known fault. */
		if (atomic_exchange(&from.ring.broken, VIRTQ_GOOD) == VIRTQ_BAD_INDEX)
			fail();
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_uint_in_range(received, 1, FLIPS * 8);
}

static void
test_convert(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 120; i++) {
		uint32_t len = i < 100 ? random_length() : i == 119 ? LONG : 2040 + i;
		send_random(RING_LOW, len, i);
		assert_int_equal(virtq_pop(&from.ring, batch, frames, FRAME_BURST, &bad), 1);
		/* The classified head is not read again. */
		ring_fill(&sender, RING_LOW + 12, 0, len < VIRTQ_HEAD ? len : VIRTQ_HEAD);
		struct rte_mbuf *mbuf = convert_to_mbuf(&frames[0], eal_fixture_pool());
		assert_non_null(mbuf);
		virtq_pop_done(&from.ring, batch);
		ring_reclaim(&from);
		assert_int_equal(rte_pktmbuf_pkt_len(mbuf), len);
		assert_int_equal(mbuf->ol_flags, 0);
		assert_int_equal(rte_pktmbuf_headroom(mbuf), RTE_PKTMBUF_HEADROOM);
		assert_true(len <= EAL_POOL_SPACE || mbuf->nb_segs > 1);
		assert_uint_in_range(mbuf->nb_segs, 1, len / EAL_POOL_SPACE + 1);
		rte_mbuf_sanity_check(mbuf, 1);
		assert_int_equal(packet_read(mbuf, seen), len);
		ring_pattern(bytes, len, i);
		assert_memory_equal(seen, bytes, len);
		rte_pktmbuf_free(mbuf);
	}
}

static void
test_convert_empty_pool(void **state)
{
	(void)state;
	send_random(RING_LOW, 9000, 1);
	assert_int_equal(virtq_pop(&from.ring, batch, frames, FRAME_BURST, &bad), 1);
	for (unsigned left = 0; left <= 5; left++) {
		struct rte_mbuf *starved = eal_fixture_starve(left);
		struct rte_mbuf *mbuf = convert_to_mbuf(&frames[0], eal_fixture_pool());
		assert_int_equal(mbuf != NULL, left == 5);
		rte_pktmbuf_free(mbuf);
		assert_int_equal(rte_mempool_avail_count(eal_fixture_pool()), left);
		eal_fixture_feed(starved);
	}
}

static void
test_convert_offload(void **state)
{
	static const struct packet packets[] = {
		{.payload = 3000}, {.payload = 3000, .ipv6 = true}, {.payload = 3000, .udp = true}};

	(void)state;
	for (unsigned i = 0; i < COUNT(packets); i++) {
		const struct packet *packet = &packets[i];
		uint32_t len = packet_length(packet);
		struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = packet->udp    ? 0
				    : packet->ipv6 ? 4
						   : 1,
			.gso_size = packet->udp ? 0 : 1000,
			.csum_start = packet_l4(packet),
			.csum_offset = packet->udp ? 6 : 16};
		packet_write(packet, bytes);
		ring_fill(&sender, RING_LOW, 0, 12);
		ring_write(&sender, RING_LOW, &header, sizeof(header));
		ring_write(&sender, RING_LOW + 12, bytes, len);
		ring_add(&from, &(struct ring_part){RING_LOW, len + 12, 0}, 1);
		assert_int_equal(virtq_pop(&from.ring, batch, frames, FRAME_BURST, &bad), 1);
		frames[0].l2_len = packet_l3(packet);
		struct rte_mbuf *mbuf = convert_to_mbuf(&frames[0], eal_fixture_pool());
		virtq_pop_done(&from.ring, batch);
		ring_reclaim(&from);
		assert_int_equal(packet_read(mbuf, seen), len);
		assert_memory_equal(seen, bytes, len);
		assert_int_equal(mbuf->l2_len, packet_l3(packet));
		assert_int_equal(mbuf->l3_len, packet_l4(packet) - packet_l3(packet));
		uint64_t expected = packet->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
		expected |= packet->udp ? RTE_MBUF_F_TX_UDP_CKSUM
					: RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
		assert_true(mbuf->ol_flags == expected);
		assert_int_equal(mbuf->tso_segsz, packet->udp ? 0 : 1000);
		assert_int_equal(mbuf->l4_len, packet->udp ? 0 : 20);
		rte_pktmbuf_free(mbuf);
	}
}

int
main(void)
{
	int failed = eal_fixture_start() < 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flipping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_convert, setup, teardown),
		cmocka_unit_test_setup_teardown(test_convert_empty_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_convert_offload, setup, teardown),
	};

	for (unsigned i = 0; failed == 0 && (ops = virtq_ops_at(i / 2)) != NULL; i++) {
		packed = i % 2 == 1;
		failed += cmocka_run_group_tests_name(
			packed ? "packed" : ops->name, tests, NULL, NULL);
	}
	eal_group_teardown(NULL);
	return failed;
}
