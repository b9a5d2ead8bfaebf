/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends frames as mbufs, with offloads in software that the receiver lacks. */
#include "port/send.h"

#include <errno.h>

#include "frame/convert.h"
#include "frame/inflight.h"
#include "frame/offload.h"

/** Mbufs that wait to be sent, and their frames. */
struct send_batch {
	struct rte_mbuf *mbuf[FRAME_BURST];
	struct frame *frame[FRAME_BURST];
	uint16_t n;
};

/** Bytes of a frame with the tag that the device inserts. */
static uint32_t
send_len(const struct frame *frame)
{
	return frame->len + (frame->offload.flags == FRAME_TAG ? FRAME_TAG_LEN : 0);
}

/** Send the mbufs of a batch, count their frames, and empty the batch. */
static void
send_flush(const struct send_queue *queue, struct send_batch *batch, struct counters *counters)
{
	uint16_t n = batch->n;

	if (n == 0)
		return;
	uint16_t sent = queue->burst(queue->dev, queue->queue, batch->mbuf, n);
	for (uint16_t i = 0; i < sent; i++)
		counters->tx_bytes += send_len(batch->frame[i]);
	counters->tx_packets += sent;
	if (sent < n)
		send_drop(batch->frame + sent, n - sent, DROP_TX_FULL, counters);
	batch->n = 0;
}

/** Send mbufs in bursts; frees those that are not sent. @return number sent, from the first on */
static uint16_t
send_in_bursts(const struct send_queue *queue, struct rte_mbuf *mbufs[], uint16_t n)
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

/**
 * Segment a frame in software. It counts as one frame, sent if all of its segments were.
 *
 * @return -1 if sent, else an enum drop_reason
 */
static int
send_segments(const struct send_queue *queue, const struct frame *frame)
{
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];
	int n = offload_segment(&frame->offload, frame->mbuf, segments);

	rte_pktmbuf_free(frame->mbuf);
	if (n < 0)
		return n == -ENOMEM ? DROP_NO_MEMORY : DROP_BAD_OFFLOAD;
	if (!(queue->capabilities & FRAME_CHAIN) && segments[0]->nb_segs > 1) {
		/* No segment is longer than the first. */
		rte_pktmbuf_free_bulk(segments, (unsigned)n);
		return DROP_TOO_LONG;
	}
	return send_in_bursts(queue, segments, (uint16_t)n) < n ? DROP_TX_FULL : -1;
}

/**
 * Compute the checksum of a frame if the receiver cannot, else prepare the mbuf for the receiver.
 *
 * @param mbuf the mbuf to send, which may be replaced
 * @return -1; an enum drop_reason, and the mbuf has been freed
 */
static int
send_offload(const struct send_queue *queue, const struct frame *frame, struct rte_mbuf **mbuf)
{
	bool can = (frame->offload.flags & ~queue->capabilities) == 0 &&
		   offload_is_described(&frame->offload, *mbuf);

	if (can && queue->prepare == NULL)
		return -1;
	if (!can || !offload_head_is_own(*mbuf))
		*mbuf = offload_unshare(*mbuf);
	if (*mbuf == NULL)
		return DROP_NO_MEMORY;
	if (can) {
		queue->prepare(&frame->offload, *mbuf);
	} else if (offload_checksum(&frame->offload, *mbuf) < 0) {
		rte_pktmbuf_free(*mbuf);
		return DROP_BAD_OFFLOAD;
	}
	return -1;
}

/** Whether a frame must be segmented in software, since the receiver cannot. */
static bool
send_must_segment(const struct send_queue *queue, const struct frame *frame)
{
	if ((frame->offload.flags & FRAME_TSO) == 0)
		return false;
	return (frame->offload.flags & FRAME_TSO & ~queue->capabilities) != 0 ||
	       !offload_is_described(&frame->offload, frame->mbuf);
}

/** Linearize an mbuf for a device that takes one segment only. @return as send_offload() */
static int
send_linear(struct rte_mbuf **mbuf)
{
	*mbuf = offload_unshare(*mbuf);
	if (*mbuf == NULL)
		return DROP_NO_MEMORY;
	if (rte_pktmbuf_linearize(*mbuf) == 0)
		return -1;
	rte_pktmbuf_free(*mbuf);
	return DROP_TOO_LONG;
}

/** Whether to send a frame in guest memory without a copy. */
static bool
send_may_zero_copy(const struct send_queue *queue, const struct frame *frame)
{
	return queue->reads_guests && frame->inflight != NULL && frame->len >= INFLIGHT_LEN_MIN &&
	       (frame->offload.flags & ~queue->capabilities) == 0 &&
	       (queue->completions == NULL || inflight_is_mapped(frame->inflight));
}

/** Mbufs allocated in bulk for frames in guest memory. */
struct send_mbufs {
	struct rte_mbuf *mbuf[FRAME_BURST];
	uint16_t n;
};

/**
 * Make an mbuf of a frame in guest memory: one that refers to it, or a copy.
 *
 * @param wanted number of frames, this one included, that may need an mbuf
 * @return NULL without memory
 */
static struct rte_mbuf *
send_convert(const struct send_queue *queue, struct send_mbufs *mbufs, const struct frame *frame,
	uint16_t wanted)
{
	struct rte_mbuf *mbuf = NULL;

	if (send_may_zero_copy(queue, frame))
		mbuf = convert_zero_copy(frame, queue->pool, queue->completions);
	if (mbuf != NULL)
		return mbuf;
	if (mbufs->n == 0 && rte_pktmbuf_alloc_bulk(queue->pool, mbufs->mbuf, wanted) == 0)
		mbufs->n = wanted;
	/* The last mbufs of a pool are allocated one by one. */
	if (unlikely(mbufs->n == 0))
		return convert_to_mbuf(frame, queue->pool);
	return convert_into_mbuf(frame, mbufs->mbuf[--mbufs->n], queue->pool);
}

/**
 * Send a frame that the receiver cannot take as it is: in segments, or by another mbuf.
 *
 * @param mbuf the frame's payload
 * @return -1 with the mbuf to send, NULL if it has been sent; else an enum drop_reason
 */
static int
send_changed(const struct send_queue *queue, struct send_batch *batch, const struct frame *frame,
	struct rte_mbuf **mbuf, struct counters *counters)
{
	struct frame copy = *frame;
	int reason = -1;

	copy.mbuf = *mbuf;
	if (send_must_segment(queue, &copy)) {
		send_flush(queue, batch, counters);
		reason = send_segments(queue, &copy);
		counters->tx_packets += reason < 0;
		counters->tx_bytes += reason < 0 ? frame->len : 0;
		*mbuf = NULL;
		return reason;
	}
	if (frame->offload.flags != 0 && frame->offload.flags != FRAME_TAG)
		reason = send_offload(queue, &copy, mbuf);
	if (reason < 0 && !(queue->capabilities & FRAME_CHAIN) && (*mbuf)->nb_segs > 1)
		reason = send_linear(mbuf);
	return reason;
}

void
send_frames(const struct send_queue *queue, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct send_mbufs mbufs;
	struct send_batch batch;
	bool chains = (queue->capabilities & FRAME_CHAIN) != 0;

	mbufs.n = batch.n = 0;
	for (uint16_t i = 0; i < n; i++) {
		struct frame *frame = frames[i];
		struct rte_mbuf *mbuf = frame->mbuf != NULL
						? frame->mbuf
						: send_convert(queue, &mbufs, frame, n - i);
		int reason = mbuf == NULL ? DROP_NO_MEMORY : -1;

		if (mbuf != NULL && unlikely((frame->offload.flags & ~FRAME_TAG) != 0 ||
					     (!chains && mbuf->nb_segs > 1)))
			reason = send_changed(queue, &batch, frame, &mbuf, counters);
		if (unlikely(reason >= 0)) {
			send_drop(&frame, 1, (enum drop_reason)reason, counters);
		} else if (likely(mbuf != NULL)) {
			batch.mbuf[batch.n] = mbuf;
			batch.frame[batch.n++] = frame;
		}
	}
	send_flush(queue, &batch, counters);
	if (unlikely(mbufs.n > 0))
		rte_pktmbuf_free_bulk(mbufs.mbuf, mbufs.n);
}
