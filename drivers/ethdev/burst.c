/* SPDX-License-Identifier: BSD-3-Clause */
/* Rx and tx of an ethdev port by rte_eth_rx_burst() and rte_eth_tx_burst(). */
#include "ethdev/ethdev.h"
#include "port/send.h"

/** Insert a VLAN tag that the device stripped. @return false: no memory, frame dropped */
static bool
ethdev_insert_tag(struct rte_mbuf **mbuf, struct counters *counters)
{
	if (rte_vlan_insert(mbuf) == 0)
		return true;
	counters->rx_packets++;
	counters->rx_bytes += rte_pktmbuf_pkt_len(*mbuf);
	counters->rx_drops[DROP_NO_MEMORY]++;
	rte_pktmbuf_free(*mbuf);
	return false;
}

/** Count rx bursts, and reap tx completions at intervals: no tx burst follows the last frames. */
static void
ethdev_count_rx(struct ethdev *dev)
{
	unsigned rx_bursts = atomic_load_explicit(&dev->rx_bursts, memory_order_relaxed) + 1;

	atomic_store_explicit(&dev->rx_bursts, rx_bursts, memory_order_relaxed);
	if (unlikely(rx_bursts % ETHDEV_REAP_INTERVAL == 0))
		ethdev_completion_reap_all(dev);
}

uint16_t
ethdev_rx(void *arg, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	struct ethdev *dev = arg;
	struct rte_mbuf *mbufs[FRAME_BURST];
	uint16_t received = rte_eth_rx_burst(dev->id, queue, mbufs, n);
	uint16_t kept = 0;

	(void)lcore_id;
	if (dev->completions != NULL && queue == 0)
		ethdev_count_rx(dev);
	for (uint16_t i = 0; i < received; i++) {
		if (unlikely(mbufs[i]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
			!ethdev_insert_tag(&mbufs[i], counters))
			continue;
		frame_from_mbuf(&frames[kept++], mbufs[i]);
	}
	return kept;
}

/** Complete the offload flags from the virtio-net header; the others are set already. */
static void
ethdev_prepare(const struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	if (offload->flags & FRAME_TSO4)
		mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
}

/** @return number of mbuf segments of a burst */
static uint32_t
ethdev_count_segments(struct rte_mbuf *const mbufs[], uint16_t n)
{
	uint32_t segments = 0;

	for (uint16_t i = 0; i < n; i++)
		segments += mbufs[i]->nb_segs;
	return segments;
}

/** Send with tx completions, and reap those of earlier frames. Under the queue's lock. */
static uint16_t
ethdev_send_inflight(const struct ethdev *dev, uint16_t lcore_id, uint16_t queue,
	struct rte_mbuf *mbufs[], uint16_t n)
{
	/* Counted before the burst, since sent mbufs belong to the driver; less those not sent. */
	uint32_t segments = ethdev_count_segments(mbufs, n);
	uint16_t sent = rte_eth_tx_burst(dev->id, queue, mbufs, n);

	segments -= ethdev_count_segments(mbufs + sent, n - sent);
	dev->queue[queue].segments += segments;
	tx_completions_mark(dev->completions[lcore_id], dev->queue[queue].segments);
	ethdev_completion_reap(dev, lcore_id);
	return sent;
}

/** send_queue.burst of an ethdev: the lcore's transmit queue, under its lock. */
static uint16_t
ethdev_send_burst(void *arg, uint16_t lcore_id, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct ethdev *dev = arg;
	uint16_t ready = n, queue = lcore_id % dev->tx_queues, sent;

	rte_spinlock_lock(&dev->queue[queue].lock);
	/* For tags too: net_virtio inserts them in its tx_prepare. */
	if (dev->capabilities & (FRAME_CSUM | FRAME_TAG))
		ready = rte_eth_tx_prepare(dev->id, queue, mbufs, n);
	if (dev->completions != NULL)
		sent = ethdev_send_inflight(dev, lcore_id, queue, mbufs, ready);
	else
		sent = rte_eth_tx_burst(dev->id, queue, mbufs, ready);
	rte_spinlock_unlock(&dev->queue[queue].lock);
	rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	return sent;
}

void
ethdev_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct ethdev *dev = arg;
	const struct send_queue to = {
		.burst = ethdev_send_burst,
		.dev = dev,
		.queue = lcore_id,
		.pool = dev->pool,
		.capabilities = dev->capabilities,
		.reads_guests = dev->reads_guests,
		.completions = dev->completions != NULL ? dev->completions[lcore_id] : NULL,
		.prepare = ethdev_prepare,
	};

	send_frames(&to, frames, n, counters);
}
