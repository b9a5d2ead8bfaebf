/* SPDX-License-Identifier: BSD-3-Clause */
/* Zero-copy transmit: devices that can read guest memory by DMA, and tx completions of frames. */
#include <errno.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_malloc.h>

#include "base/log.h"
#include "ethdev/ethdev.h"
#include "frame/inflight.h"

LOG_MODULE(ethdev);

/**
 * Whether a DPDK driver reports each sent descriptor: rte_eth_tx_descriptor_status() reads the
 * descriptor at the given offset, and the device marks the last one of each frame, in order.
 * Only the source of a driver shows this; other drivers count differently or do not implement the
 * call.
 */
static bool
completion_driver_reports(const struct rte_eth_dev_info *info)
{
	static const char *const drivers[] = {"net_e1000_em", "net_e1000_igb", "net_e1000_igb_vf",
		"net_ixgbe", "net_ixgbe_vf", "net_i40e", "net_iavf", "net_ice"};

	for (unsigned i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(info->driver_name, drivers[i]) == 0)
			return true;
	return false;
}

const char *
ethdev_completion_copy_reason(const struct rte_eth_dev_info *info)
{
	uint16_t segments = info->tx_desc_lim.nb_mtu_seg_max;

	if (strcmp(rte_bus_name(rte_dev_bus(info->device)), "pci") != 0)
		return "the driver cannot read guest memory";
	if (!completion_driver_reports(info))
		return "the driver does not say when it has read a frame";
	if (rte_eal_iova_mode() != RTE_IOVA_VA)
		return "without an IOMMU devices cannot read guest memory";
	/* 0 = the driver does not say. */
	if (segments != 0 && segments < 1 + INFLIGHT_PIECES_MAX)
		return "the device supports too few segments per frame";
	return NULL;
}

void
ethdev_completion_thresholds(struct rte_eth_txconf *conf)
{
	conf->tx_rs_thresh = 1;
	conf->tx_thresh.wthresh = RTE_MIN(conf->tx_thresh.wthresh, 1);
}

int
ethdev_completion_start(struct ethdev *dev, struct rte_device *device, int numa, struct err *err)
{
	/* An in-flight zero-copy frame takes at least two descriptors. */
	uint32_t n = rte_align32pow2(dev->tx_ring / 2U);

	dev->lcores = (uint16_t)dev->services->lcores;
	dev->completions =
		rte_zmalloc("completions", dev->lcores * sizeof(struct tx_completions *), 0);
	for (uint16_t i = 0; dev->completions != NULL && i < dev->lcores; i++) {
		dev->completions[i] = tx_completions_create(n, numa);
		if (dev->completions[i] == NULL)
			return err_set(err, ENOMEM, "device: no memory for tx completions");
	}
	if (dev->completions == NULL)
		return err_set(err, ENOMEM, "device: no memory for tx completions");
	dev->dma_map = (struct dma_map_device){
		.ops = &dma_map_bus_ops, .device = device, .all = dev->zero_copy_all};
	dma_map_attach(&dev->dma_map);
	return 0;
}

void
ethdev_completion_stop(struct ethdev *dev)
{
	if (dev->dma_map.ops != NULL)
		dma_map_detach(&dev->dma_map);
	dev->dma_map.ops = NULL;
}

void
ethdev_completion_free(struct ethdev *dev)
{
	for (uint16_t i = 0; dev->completions != NULL && i < dev->lcores; i++) {
		if (dev->completions[i] == NULL || !tx_completions_in_use(dev->completions[i]))
			tx_completions_destroy(dev->completions[i]);
		else
			log_warning("device %u: its driver keeps frames of guests", dev->id);
	}
	rte_free(dev->completions);
}

/** A transmit queue, the argument of completion_is_done(). */
struct completion_queue {
	uint16_t device;
	uint16_t queue;
};

/** tx_completion_done_fn by rte_eth_tx_descriptor_status(). */
static bool
completion_is_done(void *arg, uint16_t offset)
{
	const struct completion_queue *at = arg;

	return rte_eth_tx_descriptor_status(at->device, at->queue, offset) == RTE_ETH_TX_DESC_DONE;
}

void
ethdev_completion_reap(const struct ethdev *dev, uint16_t lcore_id)
{
	struct completion_queue at = {dev->id, lcore_id % dev->tx_queues};

	tx_completions_reap(dev->completions[lcore_id], dev->queue[at.queue].segments, dev->tx_ring,
		completion_is_done, &at);
}

void
ethdev_completion_reap_all(const struct ethdev *dev)
{
	for (uint16_t lcore_id = 0; lcore_id < dev->lcores; lcore_id++) {
		struct ethdev_queue *queue = &dev->queue[lcore_id % dev->tx_queues];
		if (!tx_completions_pending(dev->completions[lcore_id]) ||
			!rte_spinlock_trylock(&queue->lock))
			continue;
		ethdev_completion_reap(dev, lcore_id);
		rte_spinlock_unlock(&queue->lock);
	}
}

uint64_t
ethdev_completion_count(const struct ethdev *dev)
{
	uint64_t count = 0;

	for (uint16_t i = 0; i < dev->lcores; i++)
		count += atomic_load_explicit(&dev->completions[i]->added, memory_order_relaxed);
	return count;
}
