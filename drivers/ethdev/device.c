/* SPDX-License-Identifier: BSD-3-Clause */
/* Life cycle of an ethdev: probe, configure, start, stop, remove. Control thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "base/log.h"
#include "ethdev/ethdev.h"
#include "lcore/pool.h"

LOG_MODULE(ethdev);

enum { DEVICE_REASON_MAX = 200 };

static bool device_in_use[RTE_MAX_ETHPORTS];

/** @return DPDK's port id of the device that devargs name; RTE_MAX_ETHPORTS if there is none */
static uint16_t
device_find_id(const char *device)
{
	struct rte_dev_iterator iterator;
	uint16_t id, found = RTE_MAX_ETHPORTS;

	RTE_ETH_FOREACH_MATCHING_DEV(id, device, &iterator) {
		if (found == RTE_MAX_ETHPORTS)
			found = id;
	}
	return found;
}

/** Find a device, or make DPDK open it. @return 0 or negative errno */
static int
device_find_or_probe(struct ethdev *dev, const char *device)
{
	dev->id = device_find_id(device);
	if (dev->id != RTE_MAX_ETHPORTS)
		return 0;
	int rc = rte_dev_probe(device);
	if (rc < 0)
		return rc;
	dev->plugged = true;
	dev->id = device_find_id(device);
	return 0;
}

/**
 * device_find_or_probe() with the log of DPDK and the driver captured: on failure its first line
 * gives the reason, which the error code does not.
 */
static int
device_probe_logged(struct ethdev *dev, const char *device, char logged[DEVICE_REASON_MAX])
{
	/* Never closed: another thread may be about to write to it. */
	static FILE *dpdk_log;
	static char *text;
	static size_t length;
	FILE *stream = rte_log_get_stream();

	if (dpdk_log == NULL && (dpdk_log = open_memstream(&text, &length)) == NULL)
		return device_find_or_probe(dev, device);
	rewind(dpdk_log);
	rte_openlog_stream(dpdk_log);
	int rc = device_find_or_probe(dev, device);
	rte_openlog_stream(stream);
	fflush(dpdk_log);
	if (rc >= 0)
		fwrite(text, 1, length, stream);
	snprintf(logged, DEVICE_REASON_MAX, "%.*s", (int)length, text);
	logged[strcspn(logged, "\n")] = '\0';
	return rc;
}

int
ethdev_plug(struct ethdev *dev, const char *device, struct err *err)
{
	char logged[DEVICE_REASON_MAX] = "", missing[PLUGINS_TEXT_MAX];
	int rc = device_probe_logged(dev, device, logged);

	if (rc < 0) {
		const char *reason = ethdev_plugin_missing(device, rc, missing);
		if (reason == NULL)
			reason = logged[0] != '\0' ? logged : rte_strerror(-rc);
		return err_set(err, ENODEV, "device: cannot open '%.120s': %s", device, reason);
	}
	if (dev->id == RTE_MAX_ETHPORTS)
		return err_set(err, ENODEV, "device: '%.120s' is no network device", device);
	if (device_in_use[dev->id])
		return err_set(
			err, EBUSY, "device: '%.120s' belongs to another port already", device);
	device_in_use[dev->id] = true;
	return 0;
}

void
ethdev_unplug(struct ethdev *dev)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(dev->id, &info);

	if (dev->started)
		rte_eth_dev_stop(dev->id);
	ethdev_completion_stop(dev);
	if (rc == 0 && dev->plugged) {
		rte_eth_dev_close(dev->id);
		rc = rte_dev_remove(info.device);
		if (rc < 0)
			log_warning("device %u: not removed: %s", dev->id, rte_strerror(-rc));
	}
	device_in_use[dev->id] = false;
}

/** @return true if the driver has no hardware: the CPU moves the frames */
static bool
device_is_software(const struct rte_eth_dev_info *info)
{
	return strcmp(rte_bus_name(rte_dev_bus(info->device)), "vdev") == 0;
}

/**
 * Select the tx offloads to enable. Drivers without hardware segment by librte_gso, which handles
 * IPv4 only and trusts headers that a guest wrote: our own segmentation is as fast and has neither
 * flaw. net_af_packet inserts a tag after it has checked that the frame fits into its ring, and so
 * writes past the end: devices on a kernel interface do not insert tags.
 */
static uint64_t
device_tx_offloads(const struct rte_eth_dev_info *info)
{
	uint64_t can = info->tx_offload_capa;
	const uint64_t checksums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
				   RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	uint64_t use = can & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (info->if_index == 0)
		use |= can & RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	if (device_is_software(info))
		can &= ~RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if ((can & checksums) == checksums)
		use |= checksums | (can & RTE_ETH_TX_OFFLOAD_TCP_TSO);
	return use;
}

/**
 * Whether the driver reads frames with the CPU, in this process, wherever they lie. Only the source
 * of a driver shows this. Other drivers without hardware pass addresses to processes where guests
 * are not mapped, and net_tap is slower with multi-segment frames than with a copy.
 */
static bool
device_reads_guests(const struct rte_eth_dev_info *info)
{
	static const char *const readers[] = {"net_af_packet", "net_ring"};

	for (unsigned i = 0; i < RTE_DIM(readers); i++)
		if (strcmp(info->driver_name, readers[i]) == 0)
			return true;
	return false;
}

/** @return FRAME_* that a device with these tx offloads handles */
static uint8_t
device_capabilities(uint64_t tx_offloads)
{
	uint8_t capabilities = 0;

	if (tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
		capabilities |= FRAME_CHAIN;
	if (tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
		capabilities |= FRAME_CSUM;
	if (tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO)
		capabilities |= FRAME_TSO;
	if (tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)
		capabilities |= FRAME_TAG;
	return capabilities;
}

/**
 * The MTU to configure, 0 = the device's own. A driver on a kernel interface may report a maximum
 * of 1500 bytes and still pass longer frames: there the interface and the switch enforce the limit.
 */
static uint16_t
device_mtu(const struct ethdev_config *config, const struct rte_eth_dev_info *info)
{
	uint32_t most = info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;

	return (uint16_t)(info->if_index > 0 ? RTE_MIN(config->mtu, (int64_t)most) : config->mtu);
}

/**
 * Choose zero copy or copies for frames in guest memory: set copy_reason, zero_copy, zero_copy_all
 * and reads_guests.
 */
static void
device_choose_zero_copy(
	struct ethdev *dev, const struct ethdev_config *config, const struct rte_eth_dev_info *info)
{
	if ((dev->capabilities & FRAME_CHAIN) == 0)
		dev->copy_reason = "the device takes frames in one piece only";
	else if (config->zero_copy == ETHDEV_ZERO_COPY_OFF)
		dev->copy_reason = "as configured";
	else if (!device_reads_guests(info))
		dev->copy_reason = ethdev_completion_copy_reason(info);
	dev->reads_guests = dev->copy_reason == NULL;
	dev->zero_copy = dev->reads_guests && !device_reads_guests(info);
	dev->zero_copy_all = config->zero_copy == ETHDEV_ZERO_COPY_ON;
}

/** rte_eth_dev_configure(), with offloads, RSS and zero copy as the device and the keys allow. */
static int
device_configure(struct ethdev *dev, const struct ethdev_config *config,
	const struct rte_eth_dev_info *info, struct err *err)
{
	struct rte_eth_conf conf = {0};

	dev->payload = POOL_PAYLOAD;
	dev->rx_queues = (uint16_t)config->queues;
	if (dev->rx_queues > info->max_rx_queues)
		return err_set(err, EINVAL, "queues: the device has %u, not %u",
			info->max_rx_queues, dev->rx_queues);
	dev->tx_queues = (uint16_t)RTE_MIN(
		info->max_tx_queues, RTE_MAX(dev->services->lcores, (unsigned)dev->rx_queues));
	conf.txmode.offloads = device_tx_offloads(info);
	conf.rxmode.mtu = device_mtu(config, info);
	if (config->mtu > POOL_PAYLOAD - FRAME_ETH_LEN - 2 * FRAME_TAG_LEN) {
		conf.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
		dev->payload = conf.rxmode.offloads != 0 ? POOL_PAYLOAD : POOL_JUMBO;
	}
	if (dev->rx_queues > 1 && info->flow_type_rss_offloads != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	int rc = rte_eth_dev_configure(dev->id, dev->rx_queues, dev->tx_queues, &conf);
	if (rc < 0)
		return err_set(err, -rc, "device: cannot configure %u+%u queues, mtu %u: %s",
			dev->rx_queues, dev->tx_queues, conf.rxmode.mtu, rte_strerror(-rc));
	dev->capabilities = device_capabilities(conf.txmode.offloads);
	device_choose_zero_copy(dev, config, info);
	return 0;
}

/** Set up the receive and transmit queues, with mbufs for all descriptors. */
static int
device_setup_queues(
	struct ethdev *dev, const struct rte_eth_dev_info *info, int numa, struct err *err)
{
	struct rte_eth_txconf conf = info->default_txconf;
	uint16_t rx_ring = ETHDEV_RING, tx_ring = ETHDEV_RING;
	unsigned socket = numa < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)numa;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(dev->id, &rx_ring, &tx_ring);

	dev->reserved = (unsigned)dev->rx_queues * rx_ring + (unsigned)dev->tx_queues * tx_ring;
	dev->pool = pool_reserve(numa, dev->reserved, dev->payload, err);
	dev->queue = rte_zmalloc_socket(
		"tx_queue", dev->tx_queues * sizeof(*dev->queue), 64, (int)socket);
	if (dev->pool == NULL || dev->queue == NULL)
		return dev->pool == NULL ? -ENOMEM : err_set(err, ENOMEM, "device: no memory");
	dev->tx_ring = tx_ring;
	if (dev->zero_copy)
		ethdev_completion_thresholds(&conf);
	for (uint16_t q = 0; rc == 0 && q < dev->rx_queues; q++)
		rc = rte_eth_rx_queue_setup(dev->id, q, rx_ring, socket, NULL, dev->pool);
	for (uint16_t q = 0; rc == 0 && q < dev->tx_queues; q++) {
		rte_spinlock_init(&dev->queue[q].lock);
		rc = rte_eth_tx_queue_setup(dev->id, q, tx_ring, socket, &conf);
	}
	return rc == 0 ? 0
		       : err_set(err, -rc, "device: cannot set queues up: %s", rte_strerror(-rc));
}

/** Set the MTU of the device. @param mtu 0 = leave it */
static int
device_set_mtu(struct ethdev *dev, int64_t mtu, struct err *err)
{
	int rc = mtu > 0 ? rte_eth_dev_set_mtu(dev->id, (uint16_t)mtu) : 0;

	/* A device without an MTU takes any length; the switch enforces the limit. */
	if (rc < 0 && rc != -ENOTSUP)
		return err_set(err, -rc, "mtu: the device does not take %d: %s", (int)mtu,
			rte_strerror(-rc));
	return 0;
}

/**
 * Discard frames received before the port exists. A socket of net_af_packet receives from every
 * interface of the host until it is bound to its own; such frames must not enter the switch.
 */
static void
device_drain(const struct ethdev *dev)
{
	struct rte_mbuf *mbufs[FRAME_BURST];
	uint16_t n;

	for (uint16_t q = 0; q < dev->rx_queues; q++) {
		unsigned rounds = 0;
		do {
			n = rte_eth_rx_burst(dev->id, q, mbufs, FRAME_BURST);
			rte_pktmbuf_free_bulk(mbufs, n);
		} while (n > 0 && ++rounds < ETHDEV_DRAIN_ROUNDS);
	}
}

int
ethdev_start(struct ethdev *dev, const struct ethdev_config *config, int numa, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(dev->id, &info);
	int64_t mtu = rc < 0 || device_mtu(config, &info) != config->mtu ? 0 : config->mtu;

	if (rc < 0)
		return err_set(err, -rc, "device: gives no information: %s", rte_strerror(-rc));
	if ((rc = device_configure(dev, config, &info, err)) < 0 ||
		(rc = device_set_mtu(dev, mtu, err)) < 0 ||
		(rc = device_setup_queues(dev, &info, numa, err)) < 0)
		return rc;
	if (dev->zero_copy && (rc = ethdev_completion_start(dev, info.device, numa, err)) < 0)
		return rc;
	rc = rte_eth_dev_start(dev->id);
	if (rc < 0)
		return err_set(err, -rc, "device: does not start: %s", rte_strerror(-rc));
	dev->started = true;
	if (info.if_index > 0)
		device_drain(dev);
	rc = rte_eth_promiscuous_enable(dev->id);
	if (rc < 0 && rc != -ENOTSUP)
		log_warning("device '%.80s': not promiscuous (%s), frames to guests may not arrive",
			config->device, rte_strerror(-rc));
	return 0;
}
