/* SPDX-License-Identifier: BSD-3-Clause */
/* Rx and tx of a vhost port: chooses queue pairs, and the direct or the library path. */
#include "vhost/burst.h"

#include "frame/hash.h"
#include "port/send.h"
#include "vhost/device.h"
#include "vhost/direct.h"
#include "vhost/library.h"
#include "vhost/notify.h"
#include "vhost/ring.h"
#include "vhost/session.h"

uint16_t
vhost_rx(void *arg, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters)
{
	struct vhost_dev *dev = arg;
	uint16_t ring = vhost_guest_tx_ring(queue);
	/* Acquire: pairs with the release in vhost_session_start(). */
	const struct vhost_session *session =
		atomic_load_explicit(&dev->live, memory_order_acquire);

	if (session == NULL)
		return 0;
	if (!atomic_load_explicit(&dev->enabled[ring], memory_order_relaxed)) {
		if (session->direct)
			vhost_direct_discard(dev, &vhost_lcore[lcore_id], session, queue, counters);
		return 0;
	}
	if (session->direct)
		return vhost_direct_rx(
			dev, &vhost_lcore[lcore_id], session, queue, frames, n, counters);
	return vhost_library_rx(dev, session, queue, frames, n);
}

void
vhost_rx_done(void *arg, uint16_t lcore_id, uint16_t queue)
{
	struct vhost_lcore *lcore = &vhost_lcore[lcore_id];

	(void)arg;
	(void)queue; /* the lcore's state has the ring */
	if (lcore->popped == NULL)
		return;
	virtq_pop_done(lcore->popped, &lcore->batch);
	vhost_notify_later(lcore, lcore->popped);
	lcore->popped = NULL;
}

bool
vhost_rx_monitor(void *arg, uint16_t queue, struct port_monitor *monitor)
{
	static const uint16_t nothing;
	struct vhost_dev *dev = arg;
	uint16_t number = vhost_guest_tx_ring(queue);
	const struct vhost_session *session =
		atomic_load_explicit(&dev->live, memory_order_acquire);

	if (session == NULL || !session->direct)
		return false;
	const struct virtq *ring = session->ring[number];
	/*
	 * A ring that is not set up stays so until the session ends, which wakes lcores. Disabled
	 * rings are monitored too: vhost_rx() discards their frames.
	 */
	*monitor = (struct port_monitor){.word = &nothing};
	if (ring == NULL)
		return true;
	monitor->word = virtq_monitor(ring, &monitor->value);
	return monitor->word != NULL;
}

/** Send frames on one queue pair, by the path of the session. */
static void
burst_tx_queue(struct vhost_dev *dev, uint16_t lcore_id, const struct vhost_session *session,
	uint16_t queue, struct frame *const frames[], uint16_t n, struct counters *counters)
{
	if (session->direct)
		vhost_direct_tx(dev, &vhost_lcore[lcore_id], session, queue, frames, n, counters);
	else
		vhost_library_tx(dev, session, queue, frames, n, counters);
}

/** Send frames on several queue pairs: each flow on the one that its hash chooses. */
static void
burst_tx_queues(struct vhost_dev *dev, uint16_t lcore_id, const struct vhost_session *session,
	uint16_t queues, struct frame *const frames[], uint16_t n, struct counters *counters)
{
	struct frame *group[FRAME_BURST];
	uint16_t choice[FRAME_BURST];

	for (uint16_t i = 0; i < n; i++)
		choice[i] = (uint16_t)(frame_flow_hash(frames[i]) % queues);
	for (uint16_t queue = 0; queue < queues; queue++) {
		uint16_t in_group = 0;
		for (uint16_t i = 0; i < n; i++)
			if (choice[i] == queue)
				group[in_group++] = frames[i];
		if (in_group > 0)
			burst_tx_queue(dev, lcore_id, session, queue, group, in_group, counters);
	}
}

void
vhost_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct vhost_dev *dev = arg;
	const struct vhost_session *session =
		atomic_load_explicit(&dev->live, memory_order_acquire);
	uint16_t queues = atomic_load_explicit(&dev->send_queues, memory_order_relaxed);

	if (session == NULL || queues == 0) {
		send_drop(frames, n, DROP_LINK_DOWN, counters);
		frame_free(frames, n);
	} else if (queues == 1) {
		burst_tx_queue(dev, lcore_id, session, 0, frames, n, counters);
	} else {
		burst_tx_queues(dev, lcore_id, session, queues, frames, n, counters);
	}
}
