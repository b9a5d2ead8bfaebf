/* SPDX-License-Identifier: BSD-3-Clause */
/* Converts frames in guest memory to chains of mbufs, by copy or zero copy. */
#include "frame/convert.h"

#include <rte_memcpy.h>

#include "frame/inflight.h"
#include "frame/tx_completion.h"
#include "frame/offload.h"

/** A chain of mbufs under construction. */
struct convert_chain {
	struct rte_mempool *pool;
	struct rte_mbuf *first;
	struct rte_mbuf *last;
};

/** Append a copy of bytes to the chain. @return false: no mbuf is left in the pool */
static bool
convert_append(struct convert_chain *to, const uint8_t *from, uint32_t len)
{
	while (len > 0) {
		uint32_t space = rte_pktmbuf_tailroom(to->last);
		if (space == 0) {
			struct rte_mbuf *next = rte_pktmbuf_alloc(to->pool);
			if (next == NULL)
				return false;
			next->data_off = 0;
			to->last->next = next;
			to->last = next;
			to->first->nb_segs++;
			continue;
		}
		uint32_t part = RTE_MIN(space, len);
		memcpy(rte_pktmbuf_mtod_offset(to->last, void *, to->last->data_len), from, part);
		to->last->data_len = (uint16_t)(to->last->data_len + part);
		to->first->pkt_len += part;
		from += part;
		len -= part;
	}
	return true;
}

/** Set the mbuf's offload fields from the frame's request. */
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
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	return mbuf != NULL ? convert_into_mbuf(frame, mbuf, pool) : NULL;
}

struct rte_mbuf *
convert_into_mbuf(const struct frame *frame, struct rte_mbuf *mbuf, struct rte_mempool *pool)
{
	struct convert_chain to = {.pool = pool, .first = mbuf, .last = mbuf};
	uint32_t skip = frame->head_len;
	bool good = true;

	if (likely(skip <= rte_pktmbuf_tailroom(mbuf))) {
		rte_memcpy(rte_pktmbuf_mtod(mbuf, void *), frame->head, skip);
		mbuf->data_len = frame->head_len;
		mbuf->pkt_len = skip;
	} else {
		good = convert_append(&to, frame->head, skip);
	}
	bool whole = frame->len == frame->head_len;
	for (uint16_t i = 0; good && !whole && i < frame->segments; i++) {
		struct frame_segment rest = frame_segment_skip(&frame->segment[i], &skip);
		good = convert_append(&to, rest.data, rest.len);
	}
	if (!good) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	convert_describe(frame, mbuf);
	return mbuf;
}

/** @return bytes of the frame's front that zero copy copies: the head, and the headers of TSO */
static uint16_t
convert_head_len(const struct frame *frame)
{
	return (frame->offload.flags & FRAME_TSO) == 0
		       ? frame->head_len
		       : RTE_MAX(frame->head_len, frame->offload.header_len);
}

/**
 * Divide a frame's segments, without the first `skip` bytes, into pieces short enough for an mbuf.
 *
 * @return number of pieces; 0 if there would be more than INFLIGHT_PIECES_MAX
 */
static unsigned
convert_pieces(
	const struct frame *frame, uint32_t skip, struct frame_segment pieces[INFLIGHT_PIECES_MAX])
{
	unsigned n = 0;

	for (uint16_t i = 0; i < frame->segments; i++) {
		struct frame_segment rest = frame_segment_skip(&frame->segment[i], &skip);
		while (rest.len > 0) {
			uint32_t part = RTE_MIN(rest.len, (uint32_t)UINT16_MAX);
			if (n == INFLIGHT_PIECES_MAX)
				return 0;
			pieces[n++] = (struct frame_segment){rest.data, part};
			rest.data += part;
			rest.len -= part;
		}
	}
	return n;
}

struct rte_mbuf *
convert_zero_copy(
	const struct frame *frame, struct rte_mempool *pool, struct tx_completions *completions)
{
	struct frame_segment pieces[INFLIGHT_PIECES_MAX];
	struct rte_mbuf *mbufs[1 + INFLIGHT_PIECES_MAX];
	uint32_t index = frame->index;
	bool can = inflight_can_take(frame->inflight, index) &&
		   (completions == NULL || tx_completion_can_add(completions));
	uint16_t head_len = convert_head_len(frame);
	unsigned n = can ? convert_pieces(frame, head_len, pieces) : 0;

	if (n == 0 || rte_pktmbuf_alloc_bulk(pool, mbufs, n + 1) < 0)
		return NULL;
	struct inflight_slot *slot = inflight_take(frame->inflight, index);
	struct rte_mbuf_ext_shared_info *shared =
		completions == NULL ? inflight_shared_info(slot, (uint16_t)n)
				    : tx_completion_add(completions, slot, (uint16_t)n);
	struct rte_mbuf *first = mbufs[0];
	frame_read(frame, 0, rte_pktmbuf_mtod(first, uint8_t *), head_len);
	first->data_len = head_len;
	first->pkt_len = frame->len;
	first->nb_segs = (uint16_t)(n + 1);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *data = (uint8_t *)(uintptr_t)pieces[i].data;
		uint16_t len = (uint16_t)pieces[i].len;
		/* The IOVA is the virtual address, as in the DMA map. */
		rte_pktmbuf_attach_extbuf(mbufs[i + 1], data, (uintptr_t)data, len, shared);
		mbufs[i + 1]->data_len = len;
		mbufs[i]->next = mbufs[i + 1];
	}
	convert_describe(frame, first);
	return first;
}
