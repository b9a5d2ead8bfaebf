/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that a device reads from guests' memory by its own DMA: which devices, and until when. */
#include <errno.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "base/log.h"
#include "ethdev/ethdev.h"
#include "frame/hold.h"

LOG_MODULE(ethdev);

/**
 * Drivers whose descriptors say what has been sent: rte_eth_tx_descriptor_status() looks at the
 * descriptor asked for, and the device marks the last one of each frame, in order. Nothing but
 * their source says so; others count in their own way, or have no word for it.
 */
static bool
lend_tells(const struct rte_eth_dev_info *info)
{
	static const char *const tells[] = {"net_e1000_em", "net_e1000_igb", "net_e1000_igb_vf",
		"net_ixgbe", "net_ixgbe_vf", "net_i40e", "net_iavf", "net_ice"};

	for (unsigned i = 0; i < RTE_DIM(tells); i++)
		if (strcmp(info->driver_name, tells[i]) == 0)
			return true;
	return false;
}

const char *
ethdev_lend_obstacle(const struct rte_eth_dev_info *info)
{
	uint16_t segments = info->tx_desc_lim.nb_mtu_seg_max;

	if (strcmp(rte_bus_name(rte_dev_bus(info->device)), "pci") != 0)
		return "the driver cannot read guest memory";
	if (!lend_tells(info))
		return "the driver does not say when it has read a frame";
	if (rte_eal_iova_mode() != RTE_IOVA_VA)
		return "without an IOMMU devices cannot read guest memory";
	/* 0 = the driver does not say. */
	if (segments != 0 && segments < 1 + HOLD_PIECES_MAX)
		return "the device takes frames in few pieces only";
	return NULL;
}

void
ethdev_lend_thresholds(struct rte_eth_txconf *conf)
{
	conf->tx_rs_thresh = 1;
	conf->tx_thresh.wthresh = RTE_MIN(conf->tx_thresh.wthresh, 1);
}

int
ethdev_lend_start(struct ethdev *dev, struct rte_device *device, int numa, struct err *err)
{
	/* A held frame takes two descriptors at least. */
	uint32_t n = rte_align32pow2(dev->tx_ring / 2U);

	dev->lanes = (uint16_t)dev->services->lanes;
	dev->loans = rte_zmalloc("loans", dev->lanes * sizeof(struct loans *), 0);
	for (uint16_t i = 0; dev->loans != NULL && i < dev->lanes; i++) {
		dev->loans[i] = loans_create(n, numa);
		if (dev->loans[i] == NULL)
			return err_set(err, ENOMEM, "device: no memory for frames to lend");
	}
	if (dev->loans == NULL)
		return err_set(err, ENOMEM, "device: no memory for frames to lend");
	dev->reach = (struct reach_device){
		.ops = &reach_bus_ops, .device = device, .all = dev->lends_all};
	reach_join(&dev->reach);
	return 0;
}

void
ethdev_lend_stop(struct ethdev *dev)
{
	if (dev->reach.ops != NULL)
		reach_leave(&dev->reach);
	dev->reach.ops = NULL;
}

void
ethdev_lend_free(struct ethdev *dev)
{
	for (uint16_t i = 0; dev->loans != NULL && i < dev->lanes; i++) {
		if (dev->loans[i] == NULL || !loans_are_out(dev->loans[i]))
			loans_destroy(dev->loans[i]);
		else
			log_warning("device %u: its driver keeps frames of guests", dev->id);
	}
	rte_free(dev->loans);
}

/** What loans_end() asks about. */
struct lend_queue {
	uint16_t device;
	uint16_t queue;
};

static bool
lend_is_done(void *arg, uint16_t offset)
{
	const struct lend_queue *at = arg;

	return rte_eth_tx_descriptor_status(at->device, at->queue, offset) == RTE_ETH_TX_DESC_DONE;
}

void
ethdev_lend_end(const struct ethdev *dev, uint16_t lane)
{
	struct lend_queue at = {dev->id, lane % dev->tx_queues};

	loans_end(dev->loans[lane], dev->queue[at.queue].segments, dev->tx_ring, lend_is_done, &at);
}

void
ethdev_lend_collect(const struct ethdev *dev)
{
	for (uint16_t lane = 0; lane < dev->lanes; lane++) {
		struct ethdev_queue *queue = &dev->queue[lane % dev->tx_queues];
		if (!loans_wait(dev->loans[lane]) || !rte_spinlock_trylock(&queue->lock))
			continue;
		ethdev_lend_end(dev, lane);
		rte_spinlock_unlock(&queue->lock);
	}
}

uint64_t
ethdev_lend_count(const struct ethdev *dev)
{
	uint64_t count = 0;

	for (uint16_t i = 0; i < dev->lanes; i++)
		count += atomic_load_explicit(&dev->loans[i]->given, memory_order_relaxed);
	return count;
}
