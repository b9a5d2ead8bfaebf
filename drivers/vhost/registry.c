/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry of vhost ports: finds the port of a vid by the path of its socket. */
#include "vhost/registry.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_vhost.h>

#include "vhost/device.h"
#include "vhost/keys.h"

/*
 * Guarded by registry_lock, which is never held across a call into the library that takes locks of
 * its own: the library calls back with those held.
 */
static struct vhost_dev *registry_devices;
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

struct vhost_dev *
vhost_registry_find(int vid)
{
	char path[VHOST_PATH_MAX];
	struct vhost_dev *dev;

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) < 0)
		return NULL;
	pthread_mutex_lock(&registry_lock);
	for (dev = registry_devices; dev != NULL; dev = dev->next)
		if (strcmp(dev->config.socket, path) == 0)
			break;
	pthread_mutex_unlock(&registry_lock);
	return dev;
}

int
vhost_registry_add(struct vhost_dev *dev, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&registry_lock);
	for (struct vhost_dev *other = registry_devices; other != NULL; other = other->next)
		if (strcmp(other->config.socket, dev->config.socket) == 0)
			rc = -EADDRINUSE;
	if (rc == 0) {
		dev->next = registry_devices;
		registry_devices = dev;
	}
	pthread_mutex_unlock(&registry_lock);
	return rc == 0 ? 0
		       : err_set(err, EADDRINUSE, "socket: %s belongs to another port already",
				 dev->config.socket);
}

void
vhost_registry_remove(struct vhost_dev *dev)
{
	pthread_mutex_lock(&registry_lock);
	struct vhost_dev **link = &registry_devices;
	while (*link != NULL && *link != dev)
		link = &(*link)->next;
	if (*link == dev)
		*link = dev->next;
	pthread_mutex_unlock(&registry_lock);
}
