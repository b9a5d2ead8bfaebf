/* SPDX-License-Identifier: BSD-3-Clause */
/* The vhost port driver: configuration check, open, close, link state and port info. */
#include "vhost/vhost.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_vhost.h>

#include "lcore/pool.h"
#include "vhost/burst.h"
#include "vhost/connection.h"
#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/frontend.h"
#include "vhost/interrupt.h"
#include "vhost/journal.h"
#include "vhost/keys.h"
#include "vhost/notify.h"
#include "vhost/reconnect.h"
#include "vhost/session.h"

enum { VHOST_MBUFS_PER_QUEUE = 64 };

/** port_driver.check */
static int
vhost_check(const struct port_config *config, struct err *err)
{
	const struct vhost_config *keys = (const void *)config->driver_config;

	if (keys->socket[0] == '\0')
		return err_set(err, EINVAL, "socket: a vhost port needs socket=PATH");
	if (keys->socket[0] != '/')
		return err_set(err, EINVAL, "socket: '%s' must be an absolute path", keys->socket);
	if (!vhost_frontend_path_valid(keys->socket))
		return err_set(err, EINVAL,
			"socket: control characters, U+FFFE and U+FFFF are not possible");
	if (keys->mtu != 0 && keys->mtu < VHOST_MTU_MIN)
		return err_set(err, EINVAL, "mtu: must be 0 (no limit) or from %d to %d",
			VHOST_MTU_MIN, VHOST_MTU_MAX);
	if (keys->owner[0] != '\0' && keys->mode == VHOST_CLIENT)
		return err_set(err, EINVAL,
			"owner: not with mode=client, where the front end creates the socket");
	return 0;
}

/** Free the state of a port and return its mbufs and journals. */
static void
vhost_free(struct vhost_dev *dev)
{
	if (dev->pool != NULL)
		pool_release(dev->pool, dev->reserved);
	if (dev->journal != NULL)
		vhost_journal_put(dev->journal, 2U * dev->queues);
	rte_free(dev);
}

/** port_driver.open */
static int
vhost_open(struct port *port, struct err *err)
{
	const struct vhost_config *config = port_driver_config(port);
	struct vhost_dev *dev = rte_zmalloc("vhost", sizeof(*dev), 64);

	if (dev == NULL)
		return err_set(err, ENOMEM, "no memory for the port");
	dev->config = *config;
	dev->services = port->services;
	dev->queues = (uint16_t)config->queues;
	atomic_store(&dev->connection, VHOST_NO_FRONT_END);
	vhost_interrupt_init(dev);
	dev->reserved = (unsigned)dev->queues * VHOST_MBUFS_PER_QUEUE;
	dev->journal = vhost_journal_get(config->socket, 2U * dev->queues);
	dev->pool = pool_reserve((int)port->config.numa, dev->reserved, POOL_PAYLOAD, err);
	if (dev->journal == NULL)
		err_set(err, ENOMEM, "no memory for the journals of the port's rings");
	if (dev->journal == NULL || dev->pool == NULL || vhost_connection_open(dev, err) < 0) {
		vhost_free(dev);
		return err->code;
	}
	port->dev = dev;
	port->numa_node = (int)port->config.numa;
	port->rx_queues = port->tx_queues = dev->queues;
	port->max_len = (uint32_t)(config->mtu > 0 ? config->mtu : VHOST_MTU_MAX) + FRAME_ETH_LEN;
	return 0;
}

/** port_driver.close */
static void
vhost_close(struct port *port)
{
	struct vhost_dev *dev = port->dev;

	vhost_connection_close(dev);
	vhost_free(dev);
	port->dev = NULL;
}

/** port_driver.link; also logs faults and frees ended sessions. */
static void
vhost_link(struct port *port, struct port_link *link)
{
	struct vhost_dev *dev = port->dev;
	int vid = atomic_load(&dev->connection);
	bool broken = vhost_fault_report(dev, port->config.name);

	link->up = atomic_load(&dev->running) && !broken;
	link->generation = atomic_load(&dev->generation);
	link->front_ends = atomic_load(&dev->front_ends);
	link->speed = 0;
	vhost_session_reap();
	if (vid == VHOST_NO_FRONT_END && dev->config.mode == VHOST_CLIENT)
		vhost_reconnect_add(dev->config.socket);
	if (link->up && port->config.numa == PORT_NUMA_AUTO) {
		int node = rte_vhost_get_numa_node(vid);
		if (node >= 0)
			port->numa_node = node;
	}
}

/** port_driver.info */
static void
vhost_info(const struct port *port, struct port_info *info)
{
	const struct vhost_dev *dev = port->dev;
	bool live = atomic_load(&dev->running);
	const char *path = atomic_load(&dev->path);

	port_info_add(info, "front_end", "%s",
		live ? "running"
		: atomic_load(&dev->connection) != VHOST_NO_FRONT_END
			? "connected, driver not ready"
			: "none");
	if (live && path != NULL)
		port_info_add(info, "path", "%s", path);
	vhost_fault_info(dev, info);
	if (live) {
		port_info_add(info, "features", "0x%" PRIx64, atomic_load(&dev->features));
		port_info_add(info, "queues_enabled", "%u", atomic_load(&dev->send_queues));
		if (atomic_load(&dev->interrupts) != NULL)
			port_info_add(info, "interrupts", "%s", atomic_load(&dev->interrupts));
		port_info_add(
			info, "memory_sealed", "%s", atomic_load(&dev->sealed) ? "yes" : "no");
	}
	port_info_add(info, "connections", "%u", atomic_load(&dev->generation));
	port_info_add(info, "refused", "%u", atomic_load(&dev->refused));
	port_info_add(info, "faults", "%u", atomic_load(&dev->faults));
}

const struct port_driver vhost_driver = {
	.type = &vhost_type,
	.check = vhost_check,
	.open = vhost_open,
	.close = vhost_close,
	.link = vhost_link,
	.info = vhost_info,
	.frontend = vhost_frontend,
	.rx = vhost_rx,
	.rx_done = vhost_rx_done,
	.round_done = vhost_round_done,
	.rx_monitor = vhost_rx_monitor,
	.tx = vhost_tx,
};
