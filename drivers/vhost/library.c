/* SPDX-License-Identifier: BSD-3-Clause */
/* The library path: rx and tx by rte_vhost_dequeue_burst() and rte_vhost_enqueue_burst(). */
#include "vhost/library.h"

#include <stddef.h>

#include <linux/virtio_config.h>
#include <rte_mbuf.h>
#include <rte_sctp.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vhost.h>

#include "port/send.h"
#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/features.h"
#include "vhost/interrupt.h"
#include "vhost/ring.h"
#include "vhost/session.h"
#include "vring/sigbus.h"

/** @return true if a fault is in effect: no frames may be moved */
static bool
library_port_is_broken(const struct vhost_dev *dev)
{
	return atomic_load_explicit(&dev->fault, memory_order_relaxed) != VIRTQ_GOOD;
}

/** Leave the SIGBUS guard of a burst; it covers the library's own mapping of guest memory. */
static void
library_leave_guard(struct vhost_dev *dev, uint16_t ring)
{
	if (unlikely(sigbus_leave()))
		vhost_fault_set(dev, VIRTQ_MEMORY_MISSING, ring);
}

void
vhost_library_journal(struct vhost_dev *dev, const struct vhost_session *session, uint16_t ring)
{
	uint16_t avail, used;

	if ((session->features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0 &&
		dev->journal[ring].size != 0 &&
		rte_vhost_get_vring_base(session->vid, ring, &avail, &used) == 0)
		virtq_journal_set(&dev->journal[ring], avail);
}

/** Set the offload request of a frame from its mbuf, into which the library put a valid header. */
static void
library_set_offload(struct frame *frame)
{
	const struct rte_mbuf *mbuf = frame->mbuf;
	struct frame_offload *offload = &frame->offload;

	offload->flags = FRAME_CSUM;
	offload->csum_start = (uint16_t)(mbuf->l2_len + mbuf->l3_len);
	offload->csum_offset = offsetof(struct rte_tcp_hdr, cksum);
	if ((mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
		offload->csum_offset = offsetof(struct rte_udp_hdr, dgram_cksum);
	/* Virtio means a plain checksum in this field; devices would store a CRC32c. */
	if ((mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM)
		offload->csum_offset = offsetof(struct rte_sctp_hdr, cksum);
	if (mbuf->ol_flags & RTE_MBUF_F_TX_TCP_SEG) {
		offload->flags |= mbuf->ol_flags & RTE_MBUF_F_TX_IPV4 ? FRAME_TSO4 : FRAME_TSO6;
		offload->gso_size = mbuf->tso_segsz;
		offload->header_len = (uint16_t)(offload->csum_start + mbuf->l4_len);
	}
}

uint16_t
vhost_library_rx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame frames[], uint16_t n)
{
	struct rte_mbuf *mbufs[FRAME_BURST];

	if (unlikely(library_port_is_broken(dev)))
		return 0;
	sigbus_enter();
	n = rte_vhost_dequeue_burst(session->vid, vhost_guest_tx_ring(queue), dev->pool, mbufs, n);
	library_leave_guard(dev, vhost_guest_tx_ring(queue));
	vhost_library_journal(dev, session, vhost_guest_tx_ring(queue));
	vhost_interrupt_forward(dev, vhost_guest_tx_ring(queue));
	for (uint16_t i = 0; i < n; i++) {
		frame_from_mbuf(&frames[i], mbufs[i]);
		if (mbufs[i]->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
			library_set_offload(&frames[i]);
	}
	return n;
}

/** send_queue.burst by rte_vhost_enqueue_burst(), which copies the mbufs. */
static uint16_t
library_send_burst(void *arg, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	const struct vhost_session *session = arg;
	uint16_t sent = rte_vhost_enqueue_burst(session->vid, vhost_guest_rx_ring(queue), mbufs, n);

	rte_pktmbuf_free_bulk(mbufs, n);
	return sent;
}

void
vhost_library_tx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	const struct send_queue to = {
		.burst = library_send_burst,
		.dev = (void *)(uintptr_t)session,
		.queue = queue,
		.pool = dev->pool,
		.capabilities = session->capabilities,
	};

	if (unlikely(library_port_is_broken(dev))) {
		send_drop(frames, n, DROP_LINK_DOWN, counters);
		frame_free(frames, n);
		return;
	}
	sigbus_enter();
	send_frames(&to, frames, n, counters);
	library_leave_guard(dev, vhost_guest_rx_ring(queue));
	vhost_library_journal(dev, session, vhost_guest_rx_ring(queue));
	vhost_interrupt_forward(dev, vhost_guest_rx_ring(queue));
}
