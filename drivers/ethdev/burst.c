/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames between the switch and a device's queues. */
#include "ethdev/ethdev.h"
#include "port/send.h"

/** A tag that was taken out and handed over beside the frame belongs into it. */
static bool
ethdev_untangle_tag(struct rte_mbuf **mbuf, struct counters *counters)
{
	if (rte_vlan_insert(mbuf) == 0)
		return true;
	counters->rx_packets++;
	counters->rx_bytes += rte_pktmbuf_pkt_len(*mbuf);
	counters->rx_drops[DROP_NO_MEMORY]++;
	rte_pktmbuf_free(*mbuf);
	return false;
}

/** Now and then, whether frames come or not: what was sent last gets nobody else to look. */
static void
ethdev_turn(struct ethdev *dev)
{
	unsigned turns = atomic_load_explicit(&dev->turns, memory_order_relaxed) + 1;

	atomic_store_explicit(&dev->turns, turns, memory_order_relaxed);
	if (unlikely(turns % ETHDEV_COLLECT_TURNS == 0))
		ethdev_lend_collect(dev);
}

uint16_t
ethdev_rx(void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters)
{
	struct ethdev *dev = arg;
	struct rte_mbuf *mbufs[FRAME_BURST];
	uint16_t received = rte_eth_rx_burst(dev->id, queue, mbufs, n);
	uint16_t kept = 0;

	if (dev->loans != NULL && queue == 0)
		ethdev_turn(dev);
	for (uint16_t i = 0; i < received; i++) {
		if (unlikely(mbufs[i]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
			!ethdev_untangle_tag(&mbufs[i], counters))
			continue;
		frame_from_mbuf(&frames[kept++], mbufs[i]);
	}
	return kept;
}

/** Tell the device what the virtio-net header told us (the rest is said already). */
static void
ethdev_prepare(const struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	if (offload->flags & FRAME_TSO4)
		mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

static uint32_t
ethdev_segments(struct rte_mbuf *const mbufs[], uint16_t n)
{
	uint32_t segments = 0;

	for (uint16_t i = 0; i < n; i++)
		segments += mbufs[i]->nb_segs;
	return segments;
}

/** Send what may be lent, and see what came back of that before. Under the queue's lock. */
static uint16_t
ethdev_send_lent(const struct ethdev *dev, uint16_t lane, uint16_t queue, struct rte_mbuf *mbufs[],
	uint16_t n)
{
	/* Before they are sent, for then they are not ours; more than was sent would be too many. */
	uint32_t segments = ethdev_segments(mbufs, n);
	uint16_t sent = rte_eth_tx_burst(dev->id, queue, mbufs, n);

	segments -= ethdev_segments(mbufs + sent, n - sent);
	dev->queue[queue].segments += segments;
	loans_mark(dev->loans[lane], dev->queue[queue].segments);
	ethdev_lend_end(dev, lane);
	return sent;
}

static uint16_t
ethdev_send_burst(void *arg, uint16_t lane, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct ethdev *dev = arg;
	uint16_t ready = n, queue = lane % dev->tx_queues, sent;

	rte_spinlock_lock(&dev->queue[queue].lock);
	/* For tags too: net_virtio puts them in there. */
	if (dev->capabilities & (FRAME_CSUM | FRAME_TAG))
		ready = rte_eth_tx_prepare(dev->id, queue, mbufs, n);
	if (dev->loans != NULL)
		sent = ethdev_send_lent(dev, lane, queue, mbufs, ready);
	else
		sent = rte_eth_tx_burst(dev->id, queue, mbufs, ready);
	rte_spinlock_unlock(&dev->queue[queue].lock);
	rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	return sent;
}

void
ethdev_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct ethdev *dev = arg;
	const struct send_queue to = {
		.burst = ethdev_send_burst,
		.dev = dev,
		.queue = lane,
		.pool = dev->pool,
		.capabilities = dev->capabilities,
		.reads_guests = dev->reads_guests,
		.loans = dev->loans != NULL ? dev->loans[lane] : NULL,
		.prepare = ethdev_prepare,
	};

	send_frames(&to, frames, n, counters);
}
