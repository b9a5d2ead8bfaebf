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

uint16_t
ethdev_rx(void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters)
{
	const struct ethdev *dev = arg;
	struct rte_mbuf *mbufs[FRAME_BURST];
	uint16_t received = rte_eth_rx_burst(dev->id, queue, mbufs, n);
	uint16_t kept = 0;

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

static uint16_t
ethdev_send_burst(void *arg, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct ethdev *dev = arg;
	uint16_t ready = n;

	rte_spinlock_lock(&dev->tx_lock[queue].lock);
	if (dev->capabilities & FRAME_CSUM)
		ready = rte_eth_tx_prepare(dev->id, queue, mbufs, n);
	uint16_t sent = rte_eth_tx_burst(dev->id, queue, mbufs, ready);
	rte_spinlock_unlock(&dev->tx_lock[queue].lock);
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
		.queue = lane % dev->tx_queues,
		.pool = dev->pool,
		.capabilities = dev->capabilities,
		.reads_guests = dev->reads_guests,
		.prepare = ethdev_prepare,
	};

	send_frames(&to, frames, n, counters);
}
