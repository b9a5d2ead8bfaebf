/* SPDX-License-Identifier: BSD-3-Clause */
/* Rewrites VLAN tags for a tx port: in the mbuf, in a copy of the head, or by the device. */
#include "vlan/rewrite.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_memcpy.h>

enum { TAG_PRIORITY_MASK = 0xf000 }; /* priority code point and drop eligible indicator */

/** @return TPID and TCI that a frame is sent with by the tx port; 0 = untagged */
static inline uint32_t
vlan_rewrite_wanted(const struct vlan_rules *rules, const struct frame *frame)
{
	uint16_t priority = 0;

	if (frame->vlan == rules->pvid)
		return 0;
	if (frame->tag_len != 0)
		priority = frame_be16(frame->head + FRAME_ETH_LEN) & TAG_PRIORITY_MASK;
	return (uint32_t)rules->tpid << 16 | priority | frame->vlan;
}

/** @return TPID and TCI that a frame was received with; 0 = untagged */
static inline uint32_t
vlan_rewrite_present(const struct frame *frame)
{
	if (frame->tag_len == 0)
		return 0;
	return (uint32_t)frame_be16(frame->head + FRAME_MACS_LEN) << 16 |
	       frame_be16(frame->head + FRAME_ETH_LEN);
}

/** Whether a frame is sent unchanged. @param wanted TPID and TCI that it is sent with */
static inline bool
vlan_rewrite_is_needless(const struct frame *frame, uint32_t wanted)
{
	/* No VLAN and no pvid: forwarded as received, even with a priority tag. */
	return frame->vlan == VLAN_NONE || wanted == vlan_rewrite_present(frame);
}

/** @return growth of a frame in bytes; negative if a tag is popped @param tag new TPID and TCI */
static inline int
vlan_rewrite_growth(const struct frame *frame, uint32_t tag)
{
	return (tag != 0 ? FRAME_TAG_LEN : 0) - frame->tag_len;
}

/**
 * Write a new head: addresses, the tag if any, and the rest of the old head.
 *
 * @param head_len bytes of the old head to take
 * @param tag TPID and TCI; 0 = untagged
 * @return bytes written
 */
static inline uint16_t
vlan_rewrite_head(uint8_t *to, const struct frame *frame, uint16_t head_len, uint32_t tag)
{
	uint16_t from = FRAME_MACS_LEN + frame->tag_len;
	uint16_t at = FRAME_MACS_LEN + (tag != 0 ? FRAME_TAG_LEN : 0);
	uint32_t bytes = rte_cpu_to_be_32(tag);

	memcpy(to, frame->head, FRAME_MACS_LEN);
	/* Overwritten below if the frame is sent untagged. */
	memcpy(to + FRAME_MACS_LEN, &bytes, sizeof(bytes));
	rte_memcpy(to + at, frame->head + from, head_len - from);
	return (uint16_t)(at + head_len - from);
}

/** Add the growth of a frame to its lengths and to the offsets of its offload request. */
static inline void
vlan_rewrite_adjust(struct frame *frame, int change)
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

/** Rewrite the tag in the mbuf. @return false: it is shared, not direct, or has no headroom */
static bool
vlan_rewrite_in_place(struct frame *frame, uint32_t tag)
{
	struct rte_mbuf *mbuf = frame->mbuf;
	int change = vlan_rewrite_growth(frame, tag);
	uint8_t head[FRAME_ETH_LEN + FRAME_TAG_LEN];

	if (rte_mbuf_refcnt_read(mbuf) != 1 || !RTE_MBUF_DIRECT(mbuf) ||
		rte_pktmbuf_headroom(mbuf) < FRAME_TAG_LEN)
		return false;
	uint16_t len = vlan_rewrite_head(head, frame, FRAME_MACS_LEN + frame->tag_len, tag);
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

/** List the segments of a frame after `skip` bytes. @return number; -1: more than `most` */
static int
vlan_rewrite_pieces(
	const struct frame *frame, uint32_t skip, struct frame_segment pieces[], unsigned most)
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
 * Give a frame in one segment of guest memory a new head, and keep the single segment, which rings
 * take fastest. The start of the segment is shifted by the growth, so that the payload begins at
 * offset head_len. The bytes before that offset are never read. No byte of
 * the old head is read from guest memory again: the guest may have changed it since it was checked.
 */
static inline void
vlan_rewrite_single(
	struct vlan_rewrite *rewrite, const struct frame *frame, struct frame *out, uint32_t tag)
{
	int change = vlan_rewrite_growth(frame, tag);
	uint16_t head_len = RTE_MIN(frame->head_len, (uint16_t)VLAN_REWRITE_HEAD);
	struct frame_segment *segment = &rewrite->segment[rewrite->segments++];

	out->head = rewrite->head[rewrite->frames];
	out->head_len = vlan_rewrite_head(rewrite->head[rewrite->frames], frame, head_len, tag);
	segment->data = frame->segment->data - change;
	segment->len = (uint32_t)((int)frame->segment->len + change);
	out->segment = segment;
}

/** Give a frame a new head, in a segment before the old payload. @return false: no space */
static bool
vlan_rewrite_split(
	struct vlan_rewrite *rewrite, const struct frame *frame, struct frame *out, uint32_t tag)
{
	struct frame_segment *segment = &rewrite->segment[rewrite->segments];
	unsigned left = VLAN_REWRITE_SEGMENTS - rewrite->segments;

	if (likely(frame->mbuf == NULL && frame->segments == 1 && left > 0)) {
		vlan_rewrite_single(rewrite, frame, out, tag);
		return true;
	}
	uint16_t head_len = RTE_MIN(frame->head_len, (uint16_t)VLAN_REWRITE_HEAD);
	uint8_t *head = rewrite->head[rewrite->frames];

	int n = left > 1 ? vlan_rewrite_pieces(frame, head_len, segment + 1, left - 1) : -1;
	if (n < 0)
		return false;
	out->head = head;
	out->head_len = vlan_rewrite_head(head, frame, head_len, tag);
	segment[0] = (struct frame_segment){head, out->head_len};
	out->segment = segment;
	out->segments = (uint16_t)(n + 1);
	rewrite->segments += (unsigned)n + 1;
	if (frame->mbuf != NULL) {
		rewrite->lent[rewrite->lents++] = frame->mbuf;
		out->mbuf = NULL;
		out->inflight = NULL;
	}
	return true;
}

/**
 * Whether the device inserts the tag, so that the head stays. Only for frames in guest memory: an
 * mbuf that is not shared takes the tag in place, and a shared mbuf must not be written.
 */
static bool
vlan_rewrite_by_device(const struct vlan_rules *rules, const struct frame *frame, uint32_t tag)
{
	return rules->inserts && frame->mbuf == NULL && frame->tag_len == 0 &&
	       frame->offload.flags == 0 && tag >> 16 == VLAN_TPID_C;
}

/**
 * Rewrite the tag of a frame. Takes the reference of its mbuf, unless there is no space.
 *
 * @param tag TPID and TCI that the frame is sent with; 0 = untagged
 * @return the rewritten frame; NULL when there is no space
 */
static struct frame *
vlan_rewrite_frame(struct vlan_rewrite *rewrite, const struct vlan_rules *rules,
	const struct frame *frame, uint32_t tag)
{
	int change = vlan_rewrite_growth(frame, tag);

	if (rewrite->frames == FRAME_BURST)
		return NULL;
	struct frame *out = &rewrite->frame[rewrite->frames];
	*out = *frame;
	if (vlan_rewrite_by_device(rules, frame, tag)) {
		out->offload.flags = FRAME_TAG;
		out->tci = (uint16_t)tag;
		rewrite->frames++;
		return out;
	}
	if ((frame->mbuf == NULL || !vlan_rewrite_in_place(out, tag)) &&
		!vlan_rewrite_split(rewrite, frame, out, tag))
		return NULL;
	rewrite->frames++;
	vlan_rewrite_adjust(out, change);
	out->tag_len = tag != 0 ? FRAME_TAG_LEN : 0;
	return out;
}

/** Whether a frame is plain: a payload in one segment of guest memory, no offload requests. */
static inline bool
vlan_rewrite_is_plain(const struct vlan_rules *rules, const struct frame *frame)
{
	return frame->mbuf == NULL && frame->segments == 1 && frame->offload.flags == 0 &&
	       !rules->inserts && frame->head_len <= VLAN_REWRITE_HEAD;
}

/** As vlan_rewrite_frame(), for a plain frame and if there is space. */
static inline struct frame *
vlan_rewrite_plain(struct vlan_rewrite *rewrite, const struct frame *frame, uint32_t tag)
{
	int change = vlan_rewrite_growth(frame, tag);
	struct frame *out = &rewrite->frame[rewrite->frames];

	*out = *frame;
	vlan_rewrite_single(rewrite, frame, out, tag);
	vlan_rewrite_adjust(out, change);
	out->tag_len = tag != 0 ? FRAME_TAG_LEN : 0;
	rewrite->frames++;
	return out;
}

/** Whether the tag of an exclusive frame can be changed where its head is. */
static inline bool
vlan_rewrite_has_headroom(const struct vlan_rewrite *rewrite, const struct vlan_rules *rules,
	const struct frame *frame)
{
	return frame->mbuf == NULL && frame->segments == 1 && !rules->inserts &&
	       frame->headroom >= FRAME_TAG_LEN && rewrite->segments < VLAN_REWRITE_SEGMENTS;
}

/** Change the tag where the head is: the addresses move, as in an mbuf with headroom. */
static inline void
vlan_rewrite_exclusive(struct vlan_rewrite *rewrite, struct frame *frame, uint32_t tag)
{
	struct frame_segment *segment = &rewrite->segment[rewrite->segments++];
	int change = vlan_rewrite_growth(frame, tag);
	uint8_t *head = (uint8_t *)(uintptr_t)frame->head - change;
	uint32_t bytes = rte_cpu_to_be_32(tag);
	uint8_t macs[FRAME_MACS_LEN];

	memcpy(macs, frame->head, FRAME_MACS_LEN);
	memcpy(head, macs, FRAME_MACS_LEN);
	if (tag != 0)
		memcpy(head + FRAME_MACS_LEN, &bytes, sizeof(bytes));
	*segment = (struct frame_segment){
		frame->segment->data - change, (uint32_t)((int)frame->segment->len + change)};
	frame->segment = segment;
	frame->head = head;
	frame->head_len = (uint16_t)(frame->head_len + change);
	vlan_rewrite_adjust(frame, change);
	frame->tag_len = tag != 0 ? FRAME_TAG_LEN : 0;
}

uint16_t
vlan_rewrite_burst(struct vlan_rewrite *rewrite, const struct vlan_rules *rules, bool exclusive,
	struct frame *frames[], uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct frame *frame = frames[i];
		uint32_t wanted = vlan_rewrite_wanted(rules, frame);

		if (vlan_rewrite_is_needless(frame, wanted))
			continue;
		if (exclusive && vlan_rewrite_has_headroom(rewrite, rules, frame)) {
			vlan_rewrite_exclusive(rewrite, frame, wanted);
			continue;
		}
		if (likely(vlan_rewrite_is_plain(rules, frame) && rewrite->frames < FRAME_BURST &&
			    rewrite->segments < VLAN_REWRITE_SEGMENTS)) {
			frames[i] = vlan_rewrite_plain(rewrite, frame, wanted);
			continue;
		}
		frames[i] = vlan_rewrite_frame(rewrite, rules, frame, wanted);
		if (unlikely(frames[i] == NULL)) {
			frames[i] = frame;
			return i;
		}
	}
	return n;
}

void
vlan_rewrite_done(struct vlan_rewrite *rewrite)
{
	rte_pktmbuf_free_bulk(rewrite->lent, rewrite->lents);
	rewrite->frames = rewrite->segments = rewrite->lents = 0;
}
