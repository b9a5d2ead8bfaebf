/* SPDX-License-Identifier: BSD-3-Clause */
/* Tags pushed, popped and rewritten: every form of a frame, byte by byte. */
#include "unit.h"

#include <string.h>

#include "eal_fixture.h"
#include "frame/convert.h"
#include "packets.h"
#include "vlan/rewrite.h"

enum { LEN_MAX = 4096, HEAD_MAX = 116, HEADROOM = 12 };

/** The storage of a frame. */
enum form {
	OWN,       /**< an mbuf of its own */
	OWN_CHAIN, /**< the same, in several segments */
	NO_SPACE,  /**< an mbuf without space before the frame */
	SHARED,    /**< an mbuf with another reference */
	SHARED_CHAIN,
	GUEST,        /**< guest memory, in one piece */
	GUEST_PIECES, /**< in pieces shorter than the head */
	GUEST_HEAD,   /**< in one piece; the head has headroom and is writable */
	FORMS
};

static struct vlan_rewrite rewrite;
static uint8_t whole[LEN_MAX], want[LEN_MAX], got[LEN_MAX];
static uint8_t own_head[HEADROOM + HEAD_MAX];
static struct frame_segment segments[LEN_MAX];

/** @return the frame itself where nothing changes; NULL when there is no space */
static struct frame *
rewrite_frame(const struct vlan_rules *rules, struct frame *frame)
{
	bool exclusive = frame->headroom > 0;

	return vlan_rewrite_burst(&rewrite, rules, exclusive, &frame, 1) == 1 ? frame : NULL;
}

/** Write a frame with a tag, or without where that is 0. @return where its type is */
static uint16_t
write_frame(uint32_t len, uint32_t tag)
{
	for (uint32_t i = 0; i < len; i++)
		whole[i] = (uint8_t)(i * 7 + 1);
	if (tag == 0) {
		packet_put16(whole + 12, 0x0800);
		return 14;
	}
	packet_put32(whole + 12, tag);
	return 18;
}

static void
fill_frame(struct frame *frame, enum form form, uint32_t len)
{
	struct rte_mempool *pool = eal_fixture_pool();

	*frame = (struct frame){.len = len};
	if (form >= GUEST) {
		uint32_t piece = form == GUEST_PIECES ? 5 : len;
		frame->head = whole;
		frame->head_len = (uint16_t)RTE_MIN(len, (uint32_t)HEAD_MAX);
		frame->segment = segments;
		for (uint32_t at = 0; at < len; at += piece)
			segments[frame->segments++] =
				(struct frame_segment){whole + at, RTE_MIN(piece, len - at)};
		if (form == GUEST_HEAD) {
			frame->headroom = HEADROOM;
			frame->head = memcpy(own_head + HEADROOM, whole, frame->head_len);
		}
		return;
	}
	bool chain = form == OWN_CHAIN || form == SHARED_CHAIN;
	struct rte_mbuf *mbuf = packet_chain(pool, whole, len, chain ? 20 : 0, chain ? 30 : 0);
	if (form == NO_SPACE) {
		memmove((uint8_t *)mbuf->buf_addr, rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len);
		mbuf->data_off = 0;
	}
	if (form == SHARED || form == SHARED_CHAIN)
		rte_pktmbuf_refcnt_update(mbuf, 1);
	frame_from_mbuf(frame, mbuf);
}

/** The frame's bytes, as a driver reads them. */
static uint32_t
read_frame(const struct frame *frame)
{
	uint32_t at = frame->head_len, skip = frame->head_len;

	if (frame->mbuf != NULL) {
		assert_ptr_equal(frame->head, rte_pktmbuf_mtod(frame->mbuf, const uint8_t *));
		assert_int_equal(frame->head_len, rte_pktmbuf_data_len(frame->mbuf));
		return packet_read(frame->mbuf, got);
	}
	memcpy(got, frame->head, frame->head_len);
	for (uint16_t i = 0; i < frame->segments; i++) {
		uint32_t over = RTE_MIN(skip, frame->segment[i].len);
		uint32_t part = frame->segment[i].len - over;
		memcpy(got + at, frame->segment[i].data + over, part);
		at += part;
		skip -= over;
	}
	assert_int_equal(skip, 0);
	return at;
}

static void
check_frame(const struct frame *frame, uint32_t len, const char *what, enum form form)
{
	uint32_t n = read_frame(frame);

	if (n != len || frame->len != len || memcmp(got, want, len) != 0)
		fail_msg("%s, form %d, %u bytes: %u came out", what, (int)form, len, n);
}

static const struct {
	const char *what;
	uint16_t vlan; /**< where the frame is */
	uint16_t pvid; /**< of the port it leaves by */
	uint16_t tpid;
	uint32_t before, after; /**< tags */
} changes[] = {
	{"push", 10, 0, 0x8100, 0, 0x8100000a},
	{"push a service tag", 10, 0, 0x88a8, 0, 0x88a8000a},
	{"pop", 10, 10, 0x8100, 0x8100e00a, 0},
	{"pop a service tag", 10, 10, 0x8100, 0x88a8500a, 0},
	{"rewrite the type", 10, 0, 0x88a8, 0x8100f00a, 0x88a8f00a},
	{"priority kept", 10, 0, 0x8100, 0x8100b000, 0x8100b00a},
	{"priority and type", 4094, 1, 0x88a8, 0x81007000, 0x88a87ffe},
	{"pop a priority", 10, 10, 0x8100, 0x81006000, 0},
};

static const uint32_t lengths[] = {
	18, 19, 60, 64, 111, 112, 115, 116, 117, 124, 127, 128, 129, 132, 300, 1518, 2000};

static void
test_every_form(void **state)
{
	(void)state;
	for (unsigned c = 0; c < COUNT(changes); c++)
		for (unsigned l = 0; l < COUNT(lengths); l++)
			for (enum form form = 0; form < FORMS; form++) {
				struct vlan_rules rules = {.filters = true,
					.pvid = changes[c].pvid,
					.tpid = changes[c].tpid};
				uint32_t len = lengths[l];
				uint16_t old = (uint16_t)(write_frame(len, changes[c].before) - 14);
				uint16_t new = changes[c].after != 0 ? 4 : 0;
				struct frame frame;

				memcpy(want, whole, 12);
				packet_put32(want + 12, changes[c].after);
				memcpy(want + 12 + new, whole + 12 + old, len - 12 - old);
				fill_frame(&frame, form, len);
				frame.vlan = changes[c].vlan;
				frame.tag_len = old;
				frame.l2_len = 14 + old;
				frame.offload =
					(struct frame_offload){.flags = FRAME_CSUM | FRAME_TSO4,
						.csum_start = 50,
						.csum_offset = 6,
						.header_len = 70,
						.gso_size = 99};
				struct rte_mbuf *shared =
					form == SHARED || form == SHARED_CHAIN ? frame.mbuf : NULL;
				struct frame *out = rewrite_frame(&rules, &frame);
				assert_non_null(out);
				assert_int_equal(out == &frame, form == GUEST_HEAD);
				/* A guest that changes the checked bytes has no influence. */
				if (form >= GUEST)
					memset(whole, 0xee, RTE_MIN(len, (uint32_t)HEAD_MAX));
				check_frame(out, len + new - old, changes[c].what, form);
				assert_int_equal(out->tag_len, new);
				assert_int_equal(out->l2_len, 14 + new);
				assert_int_equal(out->offload.csum_start, 50 + new - old);
				assert_int_equal(out->offload.header_len, 70 + new - old);
				assert_int_equal(out->offload.csum_offset, 6);
				assert_int_equal(out->offload.gso_size, 99);
				/* The driver takes the reference to an mbuf. */
				rte_pktmbuf_free(out->mbuf);
				vlan_rewrite_done(&rewrite);
				if (shared != NULL) {
					assert_int_equal(packet_read(shared, got), len);
					assert_memory_equal(got, whole, len);
					rte_pktmbuf_free(shared);
				}
			}
}

/** A frame without offload requests has none afterwards. */
static void
test_no_offload(void **state)
{
	const struct vlan_rules rules = {.filters = true, .pvid = 10, .tpid = 0x8100};
	struct frame frame;

	(void)state;
	write_frame(100, 0x8100000a);
	fill_frame(&frame, GUEST, 100);
	frame.vlan = 10;
	frame.tag_len = 4;
	const struct frame *out = rewrite_frame(&rules, &frame);
	assert_int_equal(out->offload.flags, 0);
	assert_int_equal(out->offload.csum_start, 0);
	vlan_rewrite_done(&rewrite);
}

static void
test_needless(void **state)
{
	static const struct {
		uint16_t vlan, pvid, tpid;
		uint32_t tag;
		bool needless;
	} cases[] = {
		{0, 0, 0x8100, 0, true},
		{0, 0, 0x8100, 0x8100e000, true},
		{0, 0, 0x88a8, 0x8100e000, true},
		{10, 10, 0x8100, 0, true},
		{10, 10, 0x8100, 0x8100000a, false},
		{10, 10, 0x8100, 0x81002000, false},
		{10, 0, 0x8100, 0x8100e00a, true},
		{10, 0, 0x88a8, 0x8100e00a, false},
		{10, 0, 0x8100, 0x8100e000, false},
		{10, 0, 0x8100, 0, false},
		{10, 20, 0x88a8, 0x88a8100a, true},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		const struct vlan_rules rules = {.pvid = cases[i].pvid, .tpid = cases[i].tpid};
		struct frame frame;

		write_frame(60, cases[i].tag);
		fill_frame(&frame, GUEST, 60);
		frame.vlan = cases[i].vlan;
		frame.tag_len = cases[i].tag != 0 ? 4 : 0;
		if ((rewrite_frame(&rules, &frame) == &frame) != cases[i].needless)
			fail_msg("case %u", i);
		vlan_rewrite_done(&rewrite);
	}
}

/** The header lengths that an mbuf has for a device change as well. */
static void
test_layers_in_place(void **state)
{
	const struct vlan_rules rules = {.filters = true, .tpid = 0x8100};
	struct frame frame;

	(void)state;
	write_frame(100, 0);
	fill_frame(&frame, OWN, 100);
	frame.vlan = 10;
	frame.mbuf->l2_len = 14;
	const struct frame *out = rewrite_frame(&rules, &frame);
	assert_ptr_equal(out->mbuf, frame.mbuf);
	assert_int_equal(out->mbuf->l2_len, 18);
	assert_int_equal(rte_pktmbuf_pkt_len(out->mbuf), 104);
	rte_pktmbuf_free(out->mbuf);
	vlan_rewrite_done(&rewrite);
}

/** Full after a burst; full of pieces; a frame in more pieces than there is space for. */
static void
test_space(void **state)
{
	const struct vlan_rules rules = {.filters = true, .tpid = 0x8100};
	struct frame frame;
	unsigned n = 0;

	(void)state;
	write_frame(200, 0);
	fill_frame(&frame, GUEST, 200);
	frame.vlan = 10;
	while (rewrite_frame(&rules, &frame) != NULL)
		n++;
	assert_int_equal(n, FRAME_BURST);
	vlan_rewrite_done(&rewrite);
	write_frame(500, 0);
	fill_frame(&frame, GUEST_PIECES, 500);
	frame.vlan = 10;
	/* One piece for the head, and pieces of which a part is behind the head. */
	unsigned pieces = 1 + 100 - HEAD_MAX / 5;
	for (n = 0; rewrite_frame(&rules, &frame) != NULL; n++)
		;
	assert_int_equal(n, VLAN_REWRITE_SEGMENTS / pieces);
	vlan_rewrite_done(&rewrite);
	write_frame(4000, 0);
	fill_frame(&frame, GUEST_PIECES, 4000);
	frame.vlan = 10;
	assert_null(rewrite_frame(&rules, &frame));
	write_frame(60, 0);
	fill_frame(&frame, GUEST, 60);
	frame.vlan = 10;
	assert_non_null(rewrite_frame(&rules, &frame));
	vlan_rewrite_done(&rewrite);
}

/** Insertion of tags by a device: only for frames of guests without other offload requests. */
static void
test_by_device(void **state)
{
	struct vlan_rules rules = {.filters = true, .tpid = 0x8100, .inserts = true};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		bool by_device = i == 0;
		struct frame frame;

		rules.tpid = i == 1 ? 0x88a8 : 0x8100;
		write_frame(200, i == 2 ? 0x81003000 : 0);
		fill_frame(&frame, i == 3 ? OWN : i == 4 ? GUEST_PIECES : GUEST, 200);
		frame.vlan = 10;
		frame.tag_len = i == 2 ? 4 : 0;
		frame.offload.flags = i == 5 ? FRAME_CSUM : 0;
		by_device = by_device || i == 4;
		struct frame *out = rewrite_frame(&rules, &frame);
		assert_int_equal((out->offload.flags & FRAME_TAG) != 0, by_device);
		if (by_device) {
			struct rte_mbuf *mbuf = convert_to_mbuf(out, eal_fixture_pool());
			assert_int_equal(out->len, 200);
			assert_int_equal(mbuf->vlan_tci, 10);
			assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_TX_VLAN);
			assert_int_equal(packet_read(mbuf, got), 200);
			assert_memory_equal(got, whole, 200);
			rte_pktmbuf_free(mbuf);
		}
		rte_pktmbuf_free(out->mbuf);
		vlan_rewrite_done(&rewrite);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		eal_unit_test(test_every_form),
		eal_unit_test(test_no_offload),
		eal_unit_test(test_needless),
		eal_unit_test(test_layers_in_place),
		eal_unit_test(test_space),
		eal_unit_test(test_by_device),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
