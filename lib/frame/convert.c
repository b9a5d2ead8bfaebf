/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/convert.h"

#include "frame/hold.h"
#include "frame/loan.h"
#include "frame/offload.h"

/** Where bytes are appended, and where new mbufs come from. */
struct converter {
	struct rte_mempool *pool;
	struct rte_mbuf *first;
	struct rte_mbuf *last;
};

static bool
convert_append(struct converter *to, const uint8_t *from, uint32_t len)
{
	while (len > 0) {
		uint32_t room = rte_pktmbuf_tailroom(to->last);
		if (room == 0) {
			struct rte_mbuf *next = rte_pktmbuf_alloc(to->pool);
			if (next == NULL)
				return false;
			next->data_off = 0;
			to->last->next = next;
			to->last = next;
			to->first->nb_segs++;
			continue;
		}
		uint32_t part = RTE_MIN(room, len);
		memcpy(rte_pktmbuf_mtod_offset(to->last, void *, to->last->data_len), from, part);
		to->last->data_len = (uint16_t)(to->last->data_len + part);
		to->first->pkt_len += part;
		from += part;
		len -= part;
	}
	return true;
}

/** Say in the mbuf's words what is left for a device to do. */
static void
convert_describe(const struct frame *frame, struct rte_mbuf *mbuf)
{
	if (likely(frame->offload.flags == 0))
		return;
	if (frame->offload.flags == FRAME_TAG) {
		mbuf->vlan_tci = frame->tci;
		mbuf->ol_flags |= RTE_MBUF_F_TX_VLAN;
	} else {
		offload_describe(&frame->offload, mbuf);
	}
}

struct rte_mbuf *
convert_to_mbuf(const struct frame *frame, struct rte_mempool *pool)
{
	struct converter to = {.pool = pool, .first = rte_pktmbuf_alloc(pool)};
	uint32_t skip = frame->head_len;

	if (to.first == NULL)
		return NULL;
	to.last = to.first;
	bool good = convert_append(&to, frame->head, frame->head_len);
	for (uint16_t i = 0; good && i < frame->segments; i++) {
		struct frame_segment rest = frame_behind_head(&frame->segment[i], &skip);
		good = convert_append(&to, rest.data, rest.len);
	}
	if (!good) {
		rte_pktmbuf_free(to.first);
		return NULL;
	}
	convert_describe(frame, to.first);
	return to.first;
}

/** Bytes that are copied all the same: those that were classified, and headers to be repeated. */
static uint16_t
convert_head_len(const struct frame *frame)
{
	return (frame->offload.flags & FRAME_TSO) == 0
		       ? frame->head_len
		       : RTE_MAX(frame->head_len, frame->offload.header_len);
}

/** Pieces of guest memory behind `skip` bytes, each no longer than an mbuf can say. */
static unsigned
convert_pieces(
	const struct frame *frame, uint32_t skip, struct frame_segment pieces[HOLD_PIECES_MAX])
{
	unsigned n = 0;

	for (uint16_t i = 0; i < frame->segments; i++) {
		struct frame_segment rest = frame_behind_head(&frame->segment[i], &skip);
		while (rest.len > 0) {
			uint32_t part = RTE_MIN(rest.len, (uint32_t)UINT16_MAX);
			if (n == HOLD_PIECES_MAX)
				return 0;
			pieces[n++] = (struct frame_segment){rest.data, part};
			rest.data += part;
			rest.len -= part;
		}
	}
	return n;
}

struct rte_mbuf *
convert_to_held(const struct frame *frame, struct rte_mempool *pool, struct loans *loans)
{
	struct frame_segment pieces[HOLD_PIECES_MAX];
	struct rte_mbuf *mbufs[1 + HOLD_PIECES_MAX];
	uint32_t place = frame->place;
	bool can = hold_can_take(frame->hold, place) && (loans == NULL || loan_can_give(loans));
	uint16_t head_len = convert_head_len(frame);
	unsigned n = can ? convert_pieces(frame, head_len, pieces) : 0;

	if (n == 0 || rte_pktmbuf_alloc_bulk(pool, mbufs, n + 1) < 0)
		return NULL;
	struct hold_slot *slot = hold_take(frame->hold, place);
	struct rte_mbuf_ext_shared_info *shared =
		loans == NULL ? hold_share(slot, (uint16_t)n) : loan_give(loans, slot, (uint16_t)n);
	struct rte_mbuf *first = mbufs[0];
	frame_read(frame, 0, rte_pktmbuf_mtod(first, uint8_t *), head_len);
	first->data_len = head_len;
	first->pkt_len = frame->len;
	first->nb_segs = (uint16_t)(n + 1);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *data = (uint8_t *)(uintptr_t)pieces[i].data;
		uint16_t len = (uint16_t)pieces[i].len;
		/* Devices are given guest memory at the addresses it has here. */
		rte_pktmbuf_attach_extbuf(mbufs[i + 1], data, (uintptr_t)data, len, shared);
		mbufs[i + 1]->data_len = len;
		mbufs[i]->next = mbufs[i + 1];
	}
	convert_describe(frame, first);
	return first;
}
