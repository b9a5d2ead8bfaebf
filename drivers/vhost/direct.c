/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The direct path: rx and tx by lib/vring. Frames are copied once, from the sender's buffers to the
 * receiver's, without mbufs.
 * Frames that a guest sends stay in its buffers until vhost_rx_done(). A frame that a receiving
 * guest does not accept as it is becomes an mbuf first.
 */
#include "vhost/direct.h"

#include <rte_arp.h>
#include <rte_ether.h>

#include "port/send.h"
#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/notify.h"
#include "vhost/ring.h"
#include "vhost/session.h"

/** @return the ring's number in virtio's numbering, or VHOST_NO_RING */
static int
direct_ring_number(const struct vhost_dev *dev, const struct virtq *ring)
{
	/* The lcore is in a burst: if the live session is the ring's, it cannot be freed now. */
	const struct vhost_session *session =
		atomic_load_explicit(&dev->live, memory_order_acquire);

	for (int i = 0; session != NULL && i < 2 * dev->queues; i++)
		if (session->ring[i] == ring)
			return i;
	return VHOST_NO_RING;
}

/** Report a fault of the ring, after a burst. Missing pages come first: they cause other faults. */
static void
direct_report_fault(struct vhost_dev *dev, struct virtq *ring)
{
	int fault = atomic_load_explicit(&ring->broken, memory_order_relaxed);

	if (memory_is_missing(ring->memory)) {
		virtq_break(ring, VIRTQ_MEMORY_MISSING);
		fault = VIRTQ_MEMORY_MISSING;
	}
	if (unlikely(fault != VIRTQ_GOOD))
		vhost_fault_set(dev, (enum virtq_fault)fault, direct_ring_number(dev, ring));
}

/** Send the pending notification of a packed ring: its wrap counter distinguishes two laps only. */
static inline void
direct_notify_packed(struct virtq *ring)
{
	if (ring->packed && ring->pending)
		virtq_notify(&ring, 1);
}

/** Receive the RARP frame that the front end has requested (SEND_RARP). @return number of frames */
static uint16_t
direct_rarp(struct vhost_dev *dev, struct frame frames[])
{
	struct rte_ether_addr address;
	uint64_t mac = atomic_exchange(&dev->rarp, 0);

	if (mac == 0)
		return 0;
	memcpy(&address, &mac, sizeof(address));
	struct rte_mbuf *mbuf = rte_net_make_rarp_packet(dev->pool, &address);
	if (mbuf == NULL)
		return 0;
	frame_from_mbuf(&frames[0], mbuf);
	return 1;
}

uint16_t
vhost_direct_rx(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	struct virtq *ring = session->ring[vhost_guest_tx_ring(queue)];
	uint64_t bad = 0;

	if (unlikely(atomic_load_explicit(&dev->rarp, memory_order_relaxed) != 0))
		return direct_rarp(dev, frames);
	if (unlikely(ring == NULL))
		return 0;
	/* First, so that slots of frames read by devices can be used again in this burst. */
	if (unlikely(virtq_has_inflight(ring))) {
		virtq_reclaim(ring, NULL);
		vhost_notify_later(lcore, ring);
	}
	direct_notify_packed(ring);
	n = virtq_pop(ring, &lcore->batch, frames, n, &bad);
	if (n > 0) {
		lcore->popped = ring;
	} else if (unlikely(lcore->batch.popped > 0)) {
		virtq_pop_done(ring, &lcore->batch);
		vhost_notify_later(lcore, ring);
	}
	if (unlikely(bad > 0)) {
		counters->rx_packets += bad;
		counters->rx_drops[DROP_BAD_FRAME] += bad;
	}
	direct_report_fault(dev, ring);
	return n;
}

/** Pop and drop frames that a guest sends on a ring that its front end has disabled. */
void
vhost_direct_discard(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct counters *counters)
{
	struct virtq *ring = session->ring[vhost_guest_tx_ring(queue)];
	struct virtq_batch *batch = &lcore->batch;
	struct frame frames[FRAME_BURST];
	uint64_t bad = 0;

	if (ring == NULL)
		return;
	direct_notify_packed(ring);
	uint16_t n = virtq_pop(ring, batch, frames, FRAME_BURST, &bad);
	for (uint16_t i = 0; i < n; i++)
		counters->rx_bytes += frames[i].len;
	virtq_pop_done(ring, batch);
	vhost_notify_later(lcore, ring);
	counters->rx_packets += n + bad;
	counters->rx_drops[DROP_BAD_FRAME] += bad;
	counters->rx_drops[DROP_DISABLED] += n;
	direct_report_fault(dev, ring);
}

/** Push frames, under the ring's lock if several lcores send, and notify. */
static void
direct_push(struct vhost_dev *dev, struct vhost_lcore *lcore, struct virtq *ring,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	struct virtq_result result;
	bool shared = atomic_load_explicit(&dev->services->senders, memory_order_relaxed) > 1;

	if (shared)
		rte_spinlock_lock(&ring->lock);
	direct_notify_packed(ring);
	uint16_t done = virtq_push(ring, frames, n, &result);
	if (shared) {
		virtq_notify(&ring, 1);
		rte_spinlock_unlock(&ring->lock);
	} else {
		vhost_notify_later(lcore, ring);
	}
	counters->tx_packets += result.sent;
	counters->tx_bytes += result.bytes;
	for (uint32_t rest = result.too_long; unlikely(rest != 0); rest &= rest - 1)
		send_drop(&frames[__builtin_ctz(rest)], 1, DROP_TOO_LONG, counters);
	if (unlikely(done < n))
		send_drop(frames + done, n - done, DROP_TX_FULL, counters);
	direct_report_fault(dev, ring);
}

/** Destination of frames that had to become mbufs. */
struct direct_sender {
	struct vhost_dev *dev;
	struct vhost_lcore *lcore;
	struct virtq *ring;
};

/** send_queue.burst of a ring: push mbufs. */
static uint16_t
direct_send_burst(void *arg, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct direct_sender *sender = arg;
	struct frame frame[FRAME_BURST], *frames[FRAME_BURST];
	struct counters counters = {0};

	(void)queue;
	for (uint16_t i = 0; i < n; i++) {
		frame_from_mbuf(&frame[i], mbufs[i]);
		frames[i] = &frame[i];
	}
	direct_push(sender->dev, sender->lcore, sender->ring, frames, n, &counters);
	rte_pktmbuf_free_bulk(mbufs, n);
	return (uint16_t)counters.tx_packets;
}

/** Push a frame with its offloads done in software, since the guest has not negotiated them. */
static void
direct_push_software(struct vhost_dev *dev, struct vhost_lcore *lcore, struct virtq *ring,
	struct frame *frame, struct counters *counters)
{
	struct direct_sender sender = {dev, lcore, ring};
	const struct send_queue to = {
		.burst = direct_send_burst,
		.dev = &sender,
		.pool = dev->pool,
		.capabilities = FRAME_CHAIN,
	};

	send_frames(&to, &frame, 1, counters);
}

/** Whether a guest accepts all frames as they are, and none of them is an mbuf. */
static inline bool
direct_all_accepted(struct frame *const frames[], uint16_t n, uint8_t capabilities)
{
	uintptr_t mbufs = 0;
	unsigned requested = 0;

	for (uint16_t i = 0; i < n; i++) {
		mbufs |= (uintptr_t)frames[i]->mbuf;
		requested |= frames[i]->offload.flags;
	}
	return mbufs == 0 && (requested & ~(unsigned)capabilities) == 0;
}

/** Push runs of frames as they are, and those between with their offloads done in software. */
void
vhost_direct_tx(struct vhost_dev *dev, struct vhost_lcore *lcore,
	const struct vhost_session *session, uint16_t queue, struct frame *const frames[],
	uint16_t n, struct counters *counters)
{
	struct virtq *ring = session->ring[vhost_guest_rx_ring(queue)];
	uint16_t from = 0;

	if (unlikely(ring == NULL)) {
		send_drop(frames, n, DROP_LINK_DOWN, counters);
		frame_free(frames, n);
		return;
	}
	if (likely(direct_all_accepted(frames, n, session->capabilities))) {
		direct_push(dev, lcore, ring, frames, n, counters);
		return;
	}
	for (uint16_t i = 0; i <= n; i++) {
		if (i < n && likely((frames[i]->offload.flags & ~session->capabilities) == 0))
			continue;
		if (i > from) {
			direct_push(dev, lcore, ring, frames + from, i - from, counters);
			frame_free(frames + from, i - from);
		}
		if (i < n)
			direct_push_software(dev, lcore, ring, frames[i], counters);
		from = i + 1;
	}
}
