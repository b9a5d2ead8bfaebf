/* SPDX-License-Identifier: BSD-3-Clause */
#include "vlan/retag.h"

#include <string.h>

enum { TAG_PRIORITY_MASK = 0xf000 }; /* priority code point and drop eligible indicator */

/** The tag that a frame leaves with: protocol and control information, 0 = none. */
static uint32_t
retag_wanted(const struct vlan_rules *rules, const struct frame *frame)
{
	uint16_t priority = 0;

	if (frame->vlan == rules->pvid)
		return 0;
	if (frame->tag_len != 0)
		priority = frame_be16(frame->head + FRAME_ETH_LEN) & TAG_PRIORITY_MASK;
	return (uint32_t)rules->tpid << 16 | priority | frame->vlan;
}

/** The tag that it came with. */
static uint32_t
retag_present(const struct frame *frame)
{
	if (frame->tag_len == 0)
		return 0;
	return (uint32_t)frame_be16(frame->head + FRAME_MACS_LEN) << 16 |
	       frame_be16(frame->head + FRAME_ETH_LEN);
}

bool
retag_is_needless(const struct vlan_rules *rules, const struct frame *frame)
{
	/* No VLAN, and none asked for: as it came, even with a tag that only has a priority. */
	if (frame->vlan == VLAN_NONE)
		return true;
	return retag_wanted(rules, frame) == retag_present(frame);
}

/** Bytes that a frame grows by with another tag, 0 = none. */
static int
retag_growth(const struct frame *frame, uint32_t tag)
{
	return (tag != 0 ? FRAME_TAG_LEN : 0) - frame->tag_len;
}

int
retag_change(const struct vlan_rules *rules, const struct frame *frame)
{
	if (frame->vlan == VLAN_NONE)
		return 0;
	return retag_growth(frame, retag_wanted(rules, frame));
}

/** Addresses, the tag if any, and what follows. @return bytes written */
static uint16_t
retag_head(uint8_t *to, const struct frame *frame, uint16_t head_len, uint32_t tag)
{
	uint16_t from = FRAME_MACS_LEN + frame->tag_len, at = FRAME_MACS_LEN;

	memcpy(to, frame->head, FRAME_MACS_LEN);
	if (tag != 0) {
		const uint8_t bytes[FRAME_TAG_LEN] = {(uint8_t)(tag >> 24), (uint8_t)(tag >> 16),
			(uint8_t)(tag >> 8), (uint8_t)tag};
		memcpy(to + at, bytes, sizeof(bytes));
		at += FRAME_TAG_LEN;
	}
	memcpy(to + at, frame->head + from, head_len - from);
	return (uint16_t)(at + head_len - from);
}

static void
retag_measures(struct frame *frame, int change)
{
	struct frame_offload *offload = &frame->offload;

	frame->len = (uint32_t)((int)frame->len + change);
	frame->l2_len = (uint16_t)(frame->l2_len + change);
	if (offload->flags == 0)
		return;
	offload->csum_start = (uint16_t)(offload->csum_start + change);
	if (offload->flags & FRAME_TSO)
		offload->header_len = (uint16_t)(offload->header_len + change);
}

/** An mbuf that is nobody else's takes the tag where it is. */
static bool
retag_in_place(struct frame *frame, uint32_t tag)
{
	struct rte_mbuf *mbuf = frame->mbuf;
	int change = retag_growth(frame, tag);
	uint8_t head[FRAME_ETH_LEN + FRAME_TAG_LEN];

	if (rte_mbuf_refcnt_read(mbuf) != 1 || !RTE_MBUF_DIRECT(mbuf) ||
		rte_pktmbuf_headroom(mbuf) < FRAME_TAG_LEN)
		return false;
	uint16_t len = retag_head(head, frame, FRAME_MACS_LEN + frame->tag_len, tag);
	if (change > 0)
		rte_pktmbuf_prepend(mbuf, FRAME_TAG_LEN);
	else if (change < 0)
		rte_pktmbuf_adj(mbuf, FRAME_TAG_LEN);
	memcpy(rte_pktmbuf_mtod(mbuf, void *), head, len);
	if (mbuf->l2_len != 0)
		mbuf->l2_len = (uint64_t)(mbuf->l2_len + change) & 0x7f;
	frame->head = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	frame->head_len = rte_pktmbuf_data_len(mbuf);
	return true;
}

/** The pieces of a frame behind its first `skip` bytes. @return how many; -1: more than `most` */
static int
retag_pieces(const struct frame *frame, uint32_t skip, struct frame_segment pieces[], unsigned most)
{
	const struct rte_mbuf *mbuf = frame->mbuf;
	unsigned total = mbuf != NULL ? mbuf->nb_segs : frame->segments, n = 0;

	for (unsigned i = 0; i < total; i++) {
		struct frame_segment piece;
		if (mbuf != NULL) {
			piece.data = rte_pktmbuf_mtod(mbuf, const uint8_t *);
			piece.len = rte_pktmbuf_data_len(mbuf);
			mbuf = mbuf->next;
		} else {
			piece = frame->segment[i];
		}
		uint32_t over = RTE_MIN(skip, piece.len);
		skip -= over;
		if (piece.len == over)
			continue;
		if (n == most)
			return -1;
		pieces[n++] = (struct frame_segment){piece.data + over, piece.len - over};
	}
	return (int)n;
}

/**
 * A new head before the old payload, all of it in one piece of guest memory, as rings take it fastest:
 * the piece is moved so that the payload begins where the head ends. What lies before is not looked at.
 */
static void
retag_single(struct retag_room *room, const struct frame *frame, struct frame *out, uint32_t tag)
{
	int change = retag_growth(frame, tag);
	uint16_t head_len = RTE_MIN(frame->head_len, (uint16_t)(RETAG_HEAD - change));
	struct frame_segment *segment = &room->segment[room->segments++];

	out->head = room->head[room->frames];
	out->head_len = retag_head(room->head[room->frames], frame, head_len, tag);
	segment->data = frame->segment->data - change;
	segment->len = (uint32_t)((int)frame->segment->len + change);
	out->segment = segment;
}

/** A new head before the old payload. */
static bool
retag_apart(struct retag_room *room, const struct frame *frame, struct frame *out, uint32_t tag)
{
	struct frame_segment *segment = &room->segment[room->segments];
	unsigned left = RETAG_SEGMENTS - room->segments;

	if (likely(frame->mbuf == NULL && frame->segments == 1 && left > 0)) {
		retag_single(room, frame, out, tag);
		return true;
	}
	uint16_t head_len = RTE_MIN(frame->head_len, (uint16_t)RETAG_HEAD);
	uint8_t *head = room->head[room->frames];

	int n = left > 1 ? retag_pieces(frame, head_len, segment + 1, left - 1) : -1;
	if (n < 0)
		return false;
	out->head = head;
	out->head_len = retag_head(head, frame, head_len, tag);
	segment[0] = (struct frame_segment){head, out->head_len};
	out->segment = segment;
	out->segments = (uint16_t)(n + 1);
	room->segments += (unsigned)n + 1;
	if (frame->mbuf != NULL) {
		room->lent[room->lents++] = frame->mbuf;
		out->mbuf = NULL;
		out->hold = NULL;
	}
	return true;
}

/** The head stays as it is, and the device adds the tag: for frames in guest memory alone, as what is
 * in an mbuf of our own gets it in place, and a shared one is nobody's to write to. */
static bool
retag_by_device(const struct vlan_rules *rules, const struct frame *frame, uint32_t tag)
{
	return rules->inserts && frame->mbuf == NULL && frame->tag_len == 0 &&
	       frame->offload.flags == 0 && tag >> 16 == VLAN_TPID_C;
}

struct frame *
retag_frame(struct retag_room *room, const struct vlan_rules *rules, const struct frame *frame)
{
	uint32_t tag = retag_wanted(rules, frame);
	int change = retag_growth(frame, tag);

	if (room->frames == FRAME_BURST)
		return NULL;
	struct frame *out = &room->frame[room->frames];
	*out = *frame;
	if (retag_by_device(rules, frame, tag)) {
		out->offload.flags = FRAME_TAG;
		out->tci = (uint16_t)tag;
		room->frames++;
		return out;
	}
	if ((frame->mbuf == NULL || !retag_in_place(out, tag)) &&
		!retag_apart(room, frame, out, tag))
		return NULL;
	room->frames++;
	retag_measures(out, change);
	out->tag_len = tag != 0 ? FRAME_TAG_LEN : 0;
	return out;
}

void
retag_done(struct retag_room *room)
{
	rte_pktmbuf_free_bulk(room->lent, room->lents);
	room->frames = room->segments = room->lents = 0;
}
