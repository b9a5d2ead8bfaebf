/* SPDX-License-Identifier: BSD-3-Clause */
/* The ethdev port driver: configuration check, open, close, link state and port info. */
#include "ethdev/ethdev.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "lcore/pool.h"

/** port_driver.check */
static int
ethdev_check(const struct port_config *config, struct err *err)
{
	const struct ethdev_config *keys = (const void *)config->driver_config;

	if (keys->device[0] == '\0')
		return err_set(err, EINVAL,
			"device: an ethdev port needs device=DEVARGS, such as 0000:3b:00.0 or "
			"net_af_packet0,iface=eth0");
	if (keys->mtu != 0 && keys->mtu < ETHDEV_MTU_MIN)
		return err_set(err, EINVAL, "mtu: must be 0 (the device's own) or from %d to %d",
			ETHDEV_MTU_MIN, ETHDEV_MTU_MAX);
	return 0;
}

/** rte_eth_dev_cb_fn for RTE_ETH_EVENT_INTR_LSC: the control thread reads the link state anew. */
static int
ethdev_link_event(uint16_t id, enum rte_eth_event_type type, void *arg, void *unused)
{
	const struct port_services *services = arg;

	(void)id;
	(void)type;
	(void)unused;
	services->link_changed(services->arg);
	return 0;
}

/** Free the state of a port, and return its mbufs. */
static void
ethdev_free(struct ethdev *dev)
{
	if (dev->pool != NULL)
		pool_release(dev->pool, dev->reserved);
	ethdev_completion_free(dev);
	rte_free(dev->queue);
	rte_free(dev);
}

/** Query the kernel interface of a device by ioctl(). @return 0 or negative errno */
static int
ethdev_netdev_ioctl(unsigned index, unsigned long command, struct ifreq *request)
{
	if (if_indextoname(index, request->ifr_name) == NULL)
		return -ENODEV;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -EMFILE;
	int rc = ioctl(fd, command, request) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/** @return the MTU configured, else the smaller of the driver's and the kernel interface's */
static uint16_t
ethdev_mtu(const struct ethdev *dev, const struct ethdev_config *config)
{
	struct rte_eth_dev_info info;
	struct ifreq request = {0};
	uint16_t mtu;

	if (config->mtu > 0)
		return (uint16_t)config->mtu;
	if (rte_eth_dev_get_mtu(dev->id, &mtu) < 0)
		mtu = RTE_ETHER_MTU;
	/* Drivers on sockets report 1500, whatever the interface has. */
	if (rte_eth_dev_info_get(dev->id, &info) == 0 && info.if_index > 0 &&
		ethdev_netdev_ioctl(info.if_index, SIOCGIFMTU, &request) == 0)
		mtu = (uint16_t)RTE_MIN(request.ifr_mtu, (int)mtu);
	return mtu;
}

/** port_driver.open */
static int
ethdev_open(struct port *port, struct err *err)
{
	const struct ethdev_config *config = port_driver_config(port);
	struct ethdev *dev = rte_zmalloc("ethdev", sizeof(*dev), 64);

	if (dev == NULL)
		return err_set(err, ENOMEM, "no memory for the port");
	dev->services = port->services;
	if (ethdev_source_check(config->device, err) < 0 ||
		ethdev_plug(dev, config->device, err) < 0) {
		ethdev_free(dev);
		return err->code;
	}
	port->numa_node = port->config.numa != PORT_NUMA_AUTO ? (int)port->config.numa
							      : rte_eth_dev_socket_id(dev->id);
	if (ethdev_start(dev, config, port->numa_node, err) < 0) {
		ethdev_unplug(dev);
		ethdev_free(dev);
		return err->code;
	}
	rte_eth_dev_callback_register(dev->id, RTE_ETH_EVENT_INTR_LSC, ethdev_link_event,
		(void *)(uintptr_t)dev->services);
	port->dev = dev;
	port->rx_queues = dev->rx_queues;
	port->tx_queues = dev->tx_queues;
	port->max_len = (uint32_t)ethdev_mtu(dev, config) + FRAME_ETH_LEN;
	port->inserts_tags = (dev->capabilities & FRAME_TAG) != 0;
	return 0;
}

/** port_driver.close */
static void
ethdev_close(struct port *port)
{
	struct ethdev *dev = port->dev;

	rte_eth_dev_callback_unregister(dev->id, RTE_ETH_EVENT_INTR_LSC, ethdev_link_event,
		(void *)(uintptr_t)dev->services);
	ethdev_unplug(dev);
	ethdev_free(dev);
	port->dev = NULL;
}

/** Whether the kernel interface of a device is running. Drivers on sockets do not check this. */
static bool
ethdev_netdev_runs(unsigned index)
{
	struct ifreq request = {0};
	int rc = ethdev_netdev_ioctl(index, SIOCGIFFLAGS, &request);

	return rc == -EMFILE ||
	       (rc == 0 && (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING));
}

/** Reap tx completions of a port that no lcore polls, since it is disabled. */
static void
ethdev_reap_unpolled(struct ethdev *dev)
{
	unsigned rx_bursts = atomic_load_explicit(&dev->rx_bursts, memory_order_relaxed);

	if (dev->completions != NULL && rx_bursts == dev->rx_bursts_before)
		ethdev_completion_reap_all(dev);
	dev->rx_bursts_before = rx_bursts;
}

/** port_driver.link; also reaps tx completions of a port that no lcore polls. */
static void
ethdev_link(struct port *port, struct port_link *link)
{
	struct ethdev *dev = port->dev;
	struct rte_eth_dev_info info;
	struct rte_eth_link status = {0};

	ethdev_reap_unpolled(dev);
	link->up = rte_eth_link_get_nowait(dev->id, &status) == 0 && status.link_status;
	if (link->up && rte_eth_dev_info_get(dev->id, &info) == 0 && info.if_index > 0)
		link->up = ethdev_netdev_runs(info.if_index);
	dev->generation += link->up && !dev->was_up;
	dev->was_up = link->up;
	link->generation = dev->generation;
	link->speed = status.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : status.link_speed;
}

/** Add how frames get from guests to the device. */
static void
ethdev_info_guests(const struct ethdev *dev, struct port_info *info)
{
	struct dma_map_status state = {0};

	if (dev->completions != NULL)
		dma_map_get_status(&state);
	if (dev->copy_reason != NULL)
		port_info_add(info, "guest_frames", "copied: %s", dev->copy_reason);
	else if (state.mapped == state.memories)
		port_info_add(info, "guest_frames", "by reference");
	else if (state.error == -EPERM)
		port_info_add(info, "guest_frames",
			"copied from %u of %u guests: not in huge pages (see zero-copy)",
			state.memories - state.mapped, state.memories);
	else
		port_info_add(info, "guest_frames",
			"copied from %u of %u guests: cannot map memory: %s",
			state.memories - state.mapped, state.memories, rte_strerror(-state.error));
	if (dev->completions != NULL)
		port_info_add(info, "guest_frames_lent", "%" PRIu64, ethdev_completion_count(dev));
}

/** port_driver.info */
static void
ethdev_info(const struct port *port, struct port_info *info)
{
	const struct ethdev *dev = port->dev;
	struct rte_eth_dev_info device;
	struct rte_ether_addr mac;
	struct rte_eth_link link;
	char text[RTE_ETHER_ADDR_FMT_SIZE];
	uint16_t mtu;

	if (rte_eth_dev_info_get(dev->id, &device) == 0)
		port_info_add(info, "driver", "%s", device.driver_name);
	if (rte_eth_macaddr_get(dev->id, &mac) == 0) {
		rte_ether_format_addr(text, sizeof(text), &mac);
		port_info_add(info, "device_mac", "%s", text);
	}
	if (rte_eth_dev_get_mtu(dev->id, &mtu) == 0)
		port_info_add(info, "device_mtu", "%u", mtu);
	if (rte_eth_link_get_nowait(dev->id, &link) == 0)
		port_info_add(info, "speed_mbps", "%u",
			link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed);
	port_info_add(
		info, "tx_checksum", "%s", dev->capabilities & FRAME_CSUM ? "device" : "software");
	ethdev_info_guests(dev, info);
	port_info_add(info, "tx_segmentation", "%s",
		dev->capabilities & FRAME_TSO ? "device" : "software");
	port_info_add(info, "tx_tags", "%s", dev->capabilities & FRAME_TAG ? "device" : "software");
}

/** @return frames that the device could not deliver to a receive queue */
static uint64_t
ethdev_missed(const struct port *port)
{
	const struct ethdev *dev = port->dev;
	struct rte_eth_stats stats;

	if (rte_eth_stats_get(dev->id, &stats) < 0)
		return 0;
	return stats.imissed + stats.ierrors + stats.rx_nombuf;
}

const struct port_driver ethdev_driver = {
	.type = &ethdev_type,
	.check = ethdev_check,
	.open = ethdev_open,
	.close = ethdev_close,
	.link = ethdev_link,
	.info = ethdev_info,
	.missed = ethdev_missed,
	.rx = ethdev_rx,
	.tx = ethdev_tx,
};
