/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends frames as mbufs, with offloads in software that the receiver lacks. */
#include "port/send.h"

#include <errno.h>

#include "frame/convert.h"
#include "frame/inflight.h"
#include "frame/offload.h"

/** Mbufs that wait to be sent, and the lengths of their frames. */
struct send_batch {
	struct rte_mbuf *mbuf[FRAME_BURST];
	uint32_t len[FRAME_BURST];
	uint16_t n;
};

static void
send_flush(const struct send_queue *queue, struct send_batch *batch, struct counters *counters)
{
	uint16_t n = batch->n;

	if (n == 0)
		return;
	uint16_t sent = queue->burst(queue->dev, queue->queue, batch->mbuf, n);
	for (uint16_t i = 0; i < sent; i++)
		counters->tx_bytes += batch->len[i];
	counters->tx_packets += sent;
	counters->tx_drops[DROP_TX_FULL] += n - sent;
	batch->n = 0;
}

static uint16_t
send_all(const struct send_queue *queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	uint16_t sent = 0;

	while (sent < n) {
		uint16_t burst = RTE_MIN(n - sent, FRAME_BURST);
		uint16_t done = queue->burst(queue->dev, queue->queue, mbufs + sent, burst);
		if (done < burst) {
			rte_pktmbuf_free_bulk(mbufs + sent + burst, n - sent - burst);
			return sent + done;
		}
		sent += burst;
	}
	return sent;
}

/** Segment a frame in software. It counts as one frame, sent if all of its segments were. */
static void
send_segments(const struct send_queue *queue, const struct frame *frame, struct counters *counters)
{
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];
	int n = offload_segment(&frame->offload, frame->mbuf, segments);

	rte_pktmbuf_free(frame->mbuf);
	if (n < 0) {
		counters->tx_drops[n == -ENOMEM ? DROP_NO_MEMORY : DROP_BAD_OFFLOAD]++;
	} else if (!(queue->capabilities & FRAME_CHAIN) && segments[0]->nb_segs > 1) {
		/* No segment is longer than the first. */
		counters->tx_drops[DROP_TOO_LONG]++;
		rte_pktmbuf_free_bulk(segments, (unsigned)n);
	} else if (send_all(queue, segments, (uint16_t)n) < n) {
		counters->tx_drops[DROP_TX_FULL]++;
	} else {
		counters->tx_packets++;
		counters->tx_bytes += frame->len;
	}
}

/** @return an mbuf without offloads that the receiver lacks; NULL if the frame was dropped */
static struct rte_mbuf *
send_ready(const struct send_queue *queue, const struct frame *frame, struct counters *counters)
{
	struct rte_mbuf *mbuf = frame->mbuf;
	bool can = (frame->offload.flags & ~queue->capabilities) == 0 &&
		   offload_is_described(&frame->offload, mbuf);

	if (can && queue->prepare == NULL)
		return mbuf;
	if (!can || !offload_head_is_own(mbuf))
		mbuf = offload_unshare(mbuf);
	if (mbuf == NULL) {
		counters->tx_drops[DROP_NO_MEMORY]++;
		return NULL;
	}
	if (can) {
		queue->prepare(&frame->offload, mbuf);
	} else if (offload_checksum(&frame->offload, mbuf) < 0) {
		counters->tx_drops[DROP_BAD_OFFLOAD]++;
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	return mbuf;
}

static bool
send_must_cut(const struct send_queue *queue, const struct frame *frame)
{
	if ((frame->offload.flags & FRAME_TSO) == 0)
		return false;
	return (frame->offload.flags & FRAME_TSO & ~queue->capabilities) != 0 ||
	       !offload_is_described(&frame->offload, frame->mbuf);
}

/** Linearize for a device that takes one segment only; NULL if the frame was dropped. */
static struct rte_mbuf *
send_linear(struct rte_mbuf *mbuf, struct counters *counters)
{
	mbuf = offload_unshare(mbuf);
	if (mbuf == NULL) {
		counters->tx_drops[DROP_NO_MEMORY]++;
	} else if (rte_pktmbuf_linearize(mbuf) < 0) {
		counters->tx_drops[DROP_TOO_LONG]++;
		rte_pktmbuf_free(mbuf);
		mbuf = NULL;
	}
	return mbuf;
}

/** Whether to send guest memory without a copy: readable, long enough, no offload in software. */
static bool
send_may_zero_copy(const struct send_queue *queue, const struct frame *frame)
{
	return queue->reads_guests && frame->inflight != NULL && frame->len >= INFLIGHT_LEN_MIN &&
	       (frame->offload.flags & ~queue->capabilities) == 0 &&
	       (queue->completions == NULL || inflight_is_mapped(frame->inflight));
}

/** @return the frame, or a copy of it with an mbuf; NULL if it was dropped */
static const struct frame *
send_in_mbuf(const struct send_queue *queue, const struct frame *frame, struct frame *copy,
	struct counters *counters)
{
	if (likely(frame->mbuf != NULL))
		return frame;
	*copy = *frame;
	copy->mbuf = send_may_zero_copy(queue, frame)
			     ? convert_zero_copy(frame, queue->pool, queue->completions)
			     : NULL;
	if (copy->mbuf == NULL)
		copy->mbuf = convert_to_mbuf(frame, queue->pool);
	if (copy->mbuf == NULL) {
		counters->tx_drops[DROP_NO_MEMORY]++;
		return NULL;
	}
	return copy;
}

void
send_frames(const struct send_queue *queue, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct send_batch batch = {.n = 0};
	bool chains = (queue->capabilities & FRAME_CHAIN) != 0;

	for (uint16_t i = 0; i < n; i++) {
		struct frame copy;
		const struct frame *frame = send_in_mbuf(queue, frames[i], &copy, counters);

		if (frame == NULL)
			continue;
		struct rte_mbuf *mbuf = frame->mbuf;
		if (send_must_cut(queue, frame)) {
			send_flush(queue, &batch, counters);
			send_segments(queue, frame, counters);
			continue;
		}
		bool tag = frame->offload.flags == FRAME_TAG;
		if (frame->offload.flags != 0 && !tag)
			mbuf = send_ready(queue, frame, counters);
		if (mbuf != NULL && !chains && mbuf->nb_segs > 1)
			mbuf = send_linear(mbuf, counters);
		if (mbuf == NULL)
			continue;
		batch.mbuf[batch.n] = mbuf;
		batch.len[batch.n++] = frame->len + (tag ? FRAME_TAG_LEN : 0);
	}
	send_flush(queue, &batch, counters);
}
