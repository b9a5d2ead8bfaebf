/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames between the switch and the guest's rings, by the library's bursts. */
#include <stddef.h>

#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vhost.h>

#include "frame/hash.h"
#include "port/send.h"
#include "vhost/vhost.h"

/* As virtio numbers them (virtio 1.2 section 5.1.2): the guest receives on even rings. */
static inline uint16_t
vhost_guest_rx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue);
}

static inline uint16_t
vhost_guest_tx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue + 1);
}

/* The library has checked the guest's offload header and turned it into mbuf flags. */
static void
vhost_offload(struct frame *frame)
{
	const struct rte_mbuf *mbuf = frame->mbuf;
	struct frame_offload *offload = &frame->offload;

	offload->flags = FRAME_CSUM;
	offload->csum_start = (uint16_t)(mbuf->l2_len + mbuf->l3_len);
	offload->csum_offset = offsetof(struct rte_tcp_hdr, cksum);
	if ((mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
		offload->csum_offset = offsetof(struct rte_udp_hdr, dgram_cksum);
	if (mbuf->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		offload->flags |= mbuf->ol_flags & RTE_MBUF_F_TX_IPV4 ? FRAME_TSO4 : FRAME_TSO6;
		offload->gso_size = mbuf->tso_segsz;
		offload->header_len = (uint16_t)(offload->csum_start + mbuf->l4_len);
	}
}

uint16_t
vhost_rx(void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters)
{
	struct vhost_dev *dev = arg;
	uint16_t ring = vhost_guest_tx_ring(queue);
	struct rte_mbuf *mbufs[FRAME_BURST];
	/* Acquire: pairs with the release in vhost_go_live(). */
	int vid = atomic_load_explicit(&dev->live, memory_order_acquire);

	(void)counters;
	if (vid == VHOST_NOBODY || !atomic_load_explicit(&dev->enabled[ring], memory_order_relaxed))
		return 0;
	n = rte_vhost_dequeue_burst(vid, ring, dev->pool, mbufs, n);
	for (uint16_t i = 0; i < n; i++) {
		frame_from_mbuf(&frames[i], mbufs[i]);
		if (mbufs[i]->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
			vhost_offload(&frames[i]);
	}
	return n;
}

struct vhost_sender {
	int vid;
};

static uint16_t
vhost_send_burst(void *arg, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct vhost_sender *sender = arg;
	uint16_t sent = rte_vhost_enqueue_burst(sender->vid, vhost_guest_rx_ring(queue), mbufs, n);

	rte_pktmbuf_free_bulk(mbufs, n);
	return sent;
}

static void
vhost_tx_spread(struct send_queue *to, uint16_t queues, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct frame *group[FRAME_BURST];
	uint16_t choice[FRAME_BURST];

	for (uint16_t i = 0; i < n; i++)
		choice[i] = (uint16_t)(frame_flow_hash(frames[i]) % queues);
	for (to->queue = 0; to->queue < queues; to->queue++) {
		uint16_t in_group = 0;
		for (uint16_t i = 0; i < n; i++)
			if (choice[i] == to->queue)
				group[in_group++] = frames[i];
		if (in_group > 0)
			send_frames(to, group, in_group, counters);
	}
}

void
vhost_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct vhost_dev *dev = arg;
	struct vhost_sender sender = {
		.vid = atomic_load_explicit(&dev->live, memory_order_acquire)};
	uint16_t queues = atomic_load_explicit(&dev->send_queues, memory_order_relaxed);
	struct send_queue to = {
		.burst = vhost_send_burst,
		.dev = &sender,
		.capabilities =
			(uint8_t)atomic_load_explicit(&dev->capabilities, memory_order_relaxed),
	};

	(void)lane; /* the library locks the ring */
	if (sender.vid == VHOST_NOBODY || queues == 0) {
		counters->tx_drops[DROP_LINK_DOWN] += n;
		frame_free(frames, n);
	} else if (queues == 1) {
		send_frames(&to, frames, n, counters);
	} else {
		vhost_tx_spread(&to, queues, frames, n, counters);
	}
}
