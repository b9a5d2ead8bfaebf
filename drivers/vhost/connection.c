/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of front ends: registers a socket with librte_vhost, and handles its callbacks for
 * connections, devices and rings. All but open and close run on the library's event thread. No vid
 * outlives its connection.
 */
#include "vhost/connection.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <rte_vhost.h>

#include "base/log.h"
#include "base/mac.h"
#include "vhost/base.h"
#include "vhost/device.h"
#include "vhost/event_thread.h"
#include "vhost/features.h"
#include "vhost/hooks.h"
#include "vhost/interrupt.h"
#include "vhost/keys.h"
#include "vhost/mapping.h"
#include "vhost/message.h"
#include "vhost/reconnect.h"
#include "vhost/registry.h"
#include "vhost/session.h"
#include "vhost/socket.h"
#include "vhost/table.h"
#include "vring/sigbus.h"

LOG_MODULE(vhost);

/** Count the enabled queue pairs to send on: a guest enables them in order. */
static void
connection_count_queues(struct vhost_dev *dev)
{
	uint16_t queues = 0;

	while (queues < dev->queues && atomic_load(&dev->enabled[2 * queues]))
		queues++;
	atomic_store(&dev->send_queues, queues);
}

/** The driver is ready: start a session, count a generation, report the link. */
static void
connection_device_start(struct vhost_dev *dev, int vid)
{
	dev->running = true;
	vhost_session_start(dev, vid);
	atomic_fetch_add(&dev->generation, 1);
	dev->services->link_changed(dev->services->arg);
}

/** The device is stopped: end the session, report the link. */
static void
connection_device_stop(struct vhost_dev *dev)
{
	dev->running = false;
	vhost_session_stop(dev);
	memset(dev->table.ring_mapped, 0, sizeof(dev->table.ring_mapped));
	dev->services->link_changed(dev->services->arg);
}

/** rte_vhost_device_ops.new_connection: accept the first front end, refuse others. */
static int
connection_new(int vid)
{
	struct vhost_dev *dev = vhost_registry_find(vid);
	int none = VHOST_NO_FRONT_END;

	vhost_hooks_message_end();
	if (dev == NULL)
		return -1;
	if (!atomic_compare_exchange_strong(&dev->connection, &none, vid)) {
		atomic_fetch_add(&dev->refused, 1);
		log_warning("%s: a second front end was refused", dev->config.socket);
		return -1;
	}
	atomic_fetch_add(&dev->front_ends, 1);
	dev->services->link_changed(dev->services->arg);
	dev->mapped = dev->refusal_logged = false;
	memset(&dev->table, 0, sizeof(dev->table));
	atomic_store(&dev->table_pending, 0);
	dev->get_features_seen = false;
	dev->set_owner_first = false;
	dev->protocol = 0;
	vhost_base_reset(dev);
	for (unsigned ring = 0; ring < RTE_DIM(dev->enabled); ring++)
		atomic_store(&dev->enabled[ring], 0);
	atomic_store(&dev->send_queues, 0);
	return vhost_hooks_register(vid);
}

/** rte_vhost_device_ops.destroy_connection: release all that the connection had. */
static void
connection_destroy(int vid)
{
	struct vhost_dev *dev = vhost_registry_find(vid);

	vhost_hooks_message_end();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return;
	if (dev->running)
		connection_device_stop(dev);
	vhost_table_release(dev);
	vhost_mapping_release(dev);
	vhost_interrupt_close(dev);
	atomic_store(&dev->table_pending, 0);
	atomic_fetch_add(&dev->front_ends, 1);
	atomic_store(&dev->connection, VHOST_NO_FRONT_END);
	dev->services->link_changed(dev->services->arg);
}

/** rte_vhost_device_ops.new_device: all rings are set up. */
static int
connection_new_device(int vid)
{
	struct vhost_dev *dev = vhost_registry_find(vid);

	vhost_hooks_message_end();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return -1;
	connection_device_start(dev, vid);
	return 0;
}

/** rte_vhost_device_ops.destroy_device: rings are no longer set up. May be part of a message. */
static void
connection_destroy_device(int vid)
{
	struct vhost_dev *dev = vhost_registry_find(vid);

	if (dev != NULL && dev->running && atomic_load(&dev->connection) == vid)
		connection_device_stop(dev);
}

/**
 * rte_vhost_device_ops.vring_state_changed: a ring is enabled or disabled. May be part of a
 * message. Must not wait: the library holds the ring's lock.
 */
static int
connection_vring_state(int vid, uint16_t ring, int enable)
{
	struct vhost_dev *dev = vhost_registry_find(vid);

	if (dev == NULL || ring >= 2 * dev->queues || atomic_load(&dev->connection) != vid)
		return 0;
	atomic_store(&dev->enabled[ring], (unsigned char)(enable != 0));
	connection_count_queues(dev);
	dev->services->wake(dev->services->arg);
	return 0;
}

static const struct rte_vhost_device_ops connection_ops = {
	.new_device = connection_new_device,
	.destroy_device = connection_destroy_device,
	.vring_state_changed = connection_vring_state,
	.new_connection = connection_new,
	.destroy_connection = connection_destroy,
};

/**
 * Do not offer CONFIGURE_MEM_SLOTS: memory is accepted as a whole table only. From DPDK 26.07 on
 * the library offers the feature, which front ends prefer, and which rules out postcopy.
 */
static int
connection_disable_mem_slots(const char *path)
{
	uint64_t features;

	if (rte_vhost_driver_get_protocol_features(path, &features) < 0)
		return -1;
	features &= ~VHOST_FEATURE(PROTOCOL_CONFIGURE_MEM_SLOTS);
	return rte_vhost_driver_set_protocol_features(path, features);
}

/** Register the socket with the library, then listen or connect. */
static int
connection_register(struct vhost_dev *dev, struct err *err)
{
	const char *path = dev->config.socket;
	bool server = dev->config.mode == VHOST_SERVER;

	vhost_event_thread_keep();
	int rc = server ? rte_vhost_driver_register(path, 0) : vhost_reconnect_register(path);
	if (rc < 0)
		return err_set(err, EIO, "socket: the vhost library does not take %s", path);
	if (rte_vhost_driver_disable_features(path, vhost_features_off(&dev->config)) < 0 ||
		connection_disable_mem_slots(path) < 0 ||
		rte_vhost_driver_callback_register(path, &connection_ops) < 0)
		goto fail;
	/* No front end may connect before the socket has the configured owner and mode. */
	mode_t mask = umask(0777);
	rc = vhost_event_thread_start(path);
	umask(mask);
	if (rc < 0)
		goto fail;
	if (server && vhost_socket_protect(&dev->config, err) < 0) {
		rte_vhost_driver_unregister(path);
		return err->code;
	}
	if (server)
		vhost_event_thread_signal();
	else
		vhost_reconnect_add(path);
	return 0;
fail:
	rte_vhost_driver_unregister(path);
	return err_set(err, EIO, "socket: cannot %s %s", server ? "listen at" : "connect to", path);
}

int
vhost_connection_open(struct vhost_dev *dev, struct err *err)
{
	int rc = sigbus_install();

	if (rc < 0)
		return err_set(err, -rc, "no SIGBUS handler");
	rc = vhost_registry_add(dev, err);
	if (rc < 0)
		return rc;
	if (dev->config.mode == VHOST_SERVER)
		rc = vhost_socket_prepare(dev->config.socket, err);
	if (rc == 0)
		rc = connection_register(dev, err);
	if (rc < 0)
		vhost_registry_remove(dev);
	return rc;
}

void
vhost_connection_close(struct vhost_dev *dev)
{
	vhost_reconnect_remove(dev->config.socket);
	rte_vhost_driver_unregister(dev->config.socket);
	vhost_registry_remove(dev);
	vhost_table_release(dev);
	vhost_mapping_release(dev);
}
