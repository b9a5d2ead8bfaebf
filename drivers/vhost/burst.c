/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames between the switch and a guest: which rings, and by whose bursts. */
#include "frame/hash.h"
#include "vhost/vhost.h"

uint16_t
vhost_rx(void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters)
{
	struct vhost_dev *dev = arg;
	uint16_t ring = vhost_guest_tx_ring(queue);
	/* Acquire: pairs with the release in vhost_epoch_start(). */
	const struct vhost_epoch *epoch = atomic_load_explicit(&dev->live, memory_order_acquire);

	if (epoch == NULL)
		return 0;
	if (!atomic_load_explicit(&dev->enabled[ring], memory_order_relaxed)) {
		if (epoch->direct)
			vhost_direct_discard(dev, epoch, queue, counters);
		return 0;
	}
	if (epoch->direct)
		return vhost_direct_rx(dev, epoch, queue, frames, n, counters);
	return vhost_library_rx(dev, epoch, queue, frames, n);
}

void
vhost_rx_done(void *arg, uint16_t queue)
{
	(void)arg;
	(void)queue; /* the burst knows */
	if (vhost_burst.popped == NULL)
		return;
	virtq_pop_done(vhost_burst.popped, &vhost_burst.batch);
	vhost_tell_later(vhost_burst.popped);
	vhost_burst.popped = NULL;
}

bool
vhost_rx_watch(void *arg, uint16_t queue, struct port_watch *watch)
{
	static const uint16_t nothing;
	struct vhost_dev *dev = arg;
	uint16_t number = vhost_guest_tx_ring(queue);
	const struct vhost_epoch *epoch = atomic_load_explicit(&dev->live, memory_order_acquire);

	if (epoch == NULL || !epoch->direct)
		return false;
	const struct virtq *ring = epoch->ring[number];
	/* Another epoch will tell of rings that are not there by now. Disabled ones are emptied. */
	*watch = (struct port_watch){.word = &nothing};
	if (ring == NULL)
		return true;
	watch->word = virtq_watch(ring, &watch->value);
	return watch->word != NULL;
}

static void
vhost_tx_queue(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters)
{
	if (epoch->direct)
		vhost_direct_tx(dev, epoch, queue, frames, n, counters);
	else
		vhost_library_tx(dev, epoch, queue, frames, n, counters);
}

static void
vhost_tx_spread(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queues,
	struct frame *const frames[], uint16_t n, struct counters *counters)
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
			vhost_tx_queue(dev, epoch, queue, group, in_group, counters);
	}
}

void
vhost_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters)
{
	struct vhost_dev *dev = arg;
	const struct vhost_epoch *epoch = atomic_load_explicit(&dev->live, memory_order_acquire);
	uint16_t queues = atomic_load_explicit(&dev->send_queues, memory_order_relaxed);

	(void)lane; /* rings are locked where several lanes send */
	if (epoch == NULL || queues == 0) {
		counters->tx_drops[DROP_LINK_DOWN] += n;
		frame_free(frames, n);
	} else if (queues == 1) {
		vhost_tx_queue(dev, epoch, 0, frames, n, counters);
	} else {
		vhost_tx_spread(dev, epoch, queues, frames, n, counters);
	}
}
