/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/convert.h"

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
		const struct frame_segment *segment = &frame->segment[i];
		uint32_t over = RTE_MIN(segment->len, skip);
		good = convert_append(&to, segment->data + over, segment->len - over);
		skip -= over;
	}
	if (!good) {
		rte_pktmbuf_free(to.first);
		return NULL;
	}
	if (frame->offload.flags != 0)
		offload_describe(&frame->offload, to.first);
	return to.first;
}
