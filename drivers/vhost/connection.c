/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Front ends that come and go. Runs on the library's event thread, but for open and close.
 *
 * The library names devices by a small number, the vid, which it uses again at once; so a vid is
 * turned into our device by the path of its socket, once per callback, and never kept longer than
 * the connection it stands for.
 */
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
#include "vhost/vhost.h"
#include "vring/lost.h"

LOG_MODULE(vhost);

enum {
	/* VHOST_USER_... */
	MESSAGE_GET_FEATURES = 1,
	MESSAGE_SET_FEATURES = 2,
	MESSAGE_SET_OWNER = 3,
	MESSAGE_RESET_OWNER = 4,
	MESSAGE_SET_MEM_TABLE = 5,
	MESSAGE_SET_LOG_BASE = 6,
	MESSAGE_SET_VRING_NUM = 8,
	MESSAGE_SET_VRING_ADDR = 9,
	MESSAGE_SET_VRING_BASE = 10,
	MESSAGE_SET_VRING_KICK = 12,
	MESSAGE_SET_VRING_CALL = 13,
	MESSAGE_SET_PROTOCOL_FEATURES = 16,
	MESSAGE_GET_QUEUE_NUM = 17,
	MESSAGE_SEND_RARP = 19,
};

struct vhost_message_memory {
	uint32_t n;
	uint32_t padding;
	struct {
		uint64_t guest, size, front, offset;
	} __attribute__((packed)) region[MEMORY_REGIONS_MAX];
} __attribute__((packed));

struct vhost_message_log {
	uint64_t size, offset;
} __attribute__((packed));

/** The head of a vhost-user message as the library hands it to hooks. */
struct vhost_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t number;
		struct vhost_message_memory memory;
		struct vhost_message_log log;
	};
} __attribute__((packed));

/*
 * Guarded by registry_lock, which is never held over a call into the library that takes locks of
 * its own: the library calls back with those held.
 */
static struct vhost_dev *registry;
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

static struct vhost_dev *
registry_find(int vid)
{
	char path[VHOST_PATH_MAX];
	struct vhost_dev *dev;

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) < 0)
		return NULL;
	pthread_mutex_lock(&registry_lock);
	for (dev = registry; dev != NULL; dev = dev->next)
		if (strcmp(dev->config.socket, path) == 0)
			break;
	pthread_mutex_unlock(&registry_lock);
	return dev;
}

static int
registry_add(struct vhost_dev *dev, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&registry_lock);
	for (struct vhost_dev *other = registry; other != NULL; other = other->next)
		if (strcmp(other->config.socket, dev->config.socket) == 0)
			rc = -EADDRINUSE;
	if (rc == 0) {
		dev->next = registry;
		registry = dev;
	}
	pthread_mutex_unlock(&registry_lock);
	return rc == 0 ? 0
		       : err_set(err, EADDRINUSE, "socket: %s belongs to another port already",
				 dev->config.socket);
}

static void
registry_remove(struct vhost_dev *dev)
{
	pthread_mutex_lock(&registry_lock);
	struct vhost_dev **link = &registry;
	while (*link != NULL && *link != dev)
		link = &(*link)->next;
	if (*link == dev)
		*link = dev->next;
	pthread_mutex_unlock(&registry_lock);
}

/** Guest rx rings enabled from the first on: a guest enables queue pairs in order. */
static void
vhost_count_queues(struct vhost_dev *dev)
{
	uint16_t queues = 0;

	while (queues < dev->queues && atomic_load(&dev->enabled[2 * queues]))
		queues++;
	atomic_store(&dev->send_queues, queues);
}

static void
vhost_go_live(struct vhost_dev *dev, int vid)
{
	dev->running = true;
	vhost_epoch_start(dev, vid);
	atomic_fetch_add(&dev->generation, 1);
	dev->services->link_changed(dev->services->arg);
}

static void
vhost_go_down(struct vhost_dev *dev)
{
	dev->running = false;
	vhost_epoch_stop(dev);
	dev->services->link_changed(dev->services->arg);
}

/** Messages that change what an epoch is made of. GET_VRING_BASE ends in destroy_device. */
static bool
vhost_message_changes(uint32_t request)
{
	switch (request) {
	case MESSAGE_SET_FEATURES:
	case MESSAGE_RESET_OWNER:
	case MESSAGE_SET_MEM_TABLE:
	case MESSAGE_SET_LOG_BASE:
	case MESSAGE_SET_VRING_NUM:
	case MESSAGE_SET_VRING_ADDR:
	case MESSAGE_SET_VRING_BASE:
	case MESSAGE_SET_VRING_KICK:
	case MESSAGE_SET_VRING_CALL:
		return true;
	default:
		return false;
	}
}

/** Is this table another one than the library has? */
static bool
vhost_memory_changes(int vid, const struct vhost_message_memory *memory)
{
	struct rte_vhost_memory *now = NULL;
	bool same = memory->n <= MEMORY_REGIONS_MAX && rte_vhost_get_mem_table(vid, &now) == 0 &&
		    now->nregions == memory->n;

	for (uint32_t i = 0; same && i < memory->n; i++)
		same = now->regions[i].guest_phys_addr == memory->region[i].guest &&
		       now->regions[i].size == memory->region[i].size &&
		       now->regions[i].guest_user_addr == memory->region[i].front;
	free(now);
	return !same;
}

/*
 * Requests that the library must not follow. They are spoilt rather than refused here, for then the
 * library refuses them and closes the descriptors that came along.
 */
static void
vhost_spoil_message(struct vhost_dev *dev, int vid, struct vhost_message *message)
{
	bool library = dev->epoch != NULL && !dev->epoch->direct;

	/* It adds the offset twice, and would write the log behind its mapping. */
	if (message->request == MESSAGE_SET_LOG_BASE && message->log.offset != 0)
		message->size = 0;
	if (message->request == MESSAGE_SET_FEATURES &&
		vhost_features_unserved(dev, message->number)) {
		message->number = UINT64_MAX;
		vhost_break(dev, VIRTQ_CONTROL);
	}
	/* When it fails with the new table it goes on with rings in the old one. */
	if (message->request == MESSAGE_SET_MEM_TABLE && library && dev->mapped &&
		vhost_memory_changes(vid, &message->memory))
		message->memory.n = UINT32_MAX;
}

/*
 * The library does not say that a message failed. So the next callback that cannot be part of one
 * ends it: SIGBUS is not ours any more. What it found is not told; bursts find out for themselves.
 */
static void
vhost_end_message(void)
{
	lost_leave();
}

/** A message that may bring other memory, or none. */
static void
vhost_memory_message(struct vhost_dev *dev, int vid, const struct vhost_message *message)
{
	if (message->request != MESSAGE_SET_MEM_TABLE && message->request != MESSAGE_RESET_OWNER)
		return;
	if (message->request == MESSAGE_RESET_OWNER || !dev->mapped ||
		vhost_memory_changes(vid, &message->memory))
		vhost_mapping_forget(dev);
	/* Until it has succeeded: the library may have none any more, and would not say so. */
	dev->mapped = false;
}

/** What messages tell of the front end. */
static void
vhost_note_message(struct vhost_dev *dev, const struct vhost_message *message)
{
	if (message->request == MESSAGE_SET_OWNER && !dev->asked)
		dev->owner_first = true;
	if (message->request == MESSAGE_GET_FEATURES)
		dev->asked = true;
	if (message->request == MESSAGE_SET_PROTOCOL_FEATURES)
		dev->protocol = message->number;
	if (message->request == MESSAGE_SEND_RARP) {
		atomic_store(&dev->rarp, message->number & MAC_MASK);
		dev->services->wake(dev->services->arg);
	}
}

/** Requests that the library would answer with too much. @return whether the answer is in place */
static bool
vhost_answer_message(const struct vhost_dev *dev, struct vhost_message *message)
{
	uint64_t number;

	if (message->request == MESSAGE_GET_QUEUE_NUM) {
		/* 128 queue pairs, of which nobody would poll the most. */
		number = dev->queues;
	} else if (message->request == MESSAGE_GET_FEATURES) {
		if (rte_vhost_driver_get_features(dev->config.socket, &number) < 0)
			return false;
		number = vhost_features_offer(dev, number);
	} else {
		return false;
	}
	message->number = number;
	message->size = sizeof(number);
	return true;
}

static enum rte_vhost_msg_result
vhost_before_message(int vid, void *arg)
{
	struct vhost_message *message = arg;
	struct vhost_dev *dev = registry_find(vid);

	vhost_end_message();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	vhost_note_message(dev, message);
	if (vhost_answer_message(dev, message))
		return RTE_VHOST_MSG_RESULT_REPLY;
	/* The library holds the rings' locks here: lcores in its bursts wait for them, not for us. */
	if (vhost_message_changes(message->request) && dev->epoch != NULL && dev->epoch->direct)
		vhost_epoch_stop(dev);
	vhost_spoil_message(dev, vid, message);
	vhost_memory_message(dev, vid, message);
	/* The library looks into the rings, too. */
	lost_enter();
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* Not called when the message failed: then frames stay stopped until the next one. */
static enum rte_vhost_msg_result
vhost_after_message(int vid, void *arg)
{
	const struct vhost_message *message = arg;
	struct vhost_dev *dev = registry_find(vid);
	bool lost = lost_leave();

	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (message->request == MESSAGE_SET_MEM_TABLE)
		dev->mapped = true;
	if (message->request == MESSAGE_SET_VRING_CALL)
		vhost_interrupt_message(dev, vid, message->number);
	if (lost)
		vhost_break(dev, VIRTQ_LOST);
	else if (dev->running && dev->epoch == NULL && vhost_message_changes(message->request))
		vhost_epoch_start(dev, vid);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static struct rte_vhost_user_extern_ops vhost_hooks = {
	.pre_msg_handle = vhost_before_message,
	.post_msg_handle = vhost_after_message,
};

static int
vhost_new_connection(int vid)
{
	struct vhost_dev *dev = registry_find(vid);
	int nobody = VHOST_NOBODY;

	vhost_end_message();
	if (dev == NULL)
		return -1;
	if (!atomic_compare_exchange_strong(&dev->connection, &nobody, vid)) {
		atomic_fetch_add(&dev->refused, 1);
		log_warning("%s: a second front end was refused", dev->config.socket);
		return -1;
	}
	dev->mapped = false;
	dev->asked = false;
	dev->owner_first = false;
	dev->protocol = 0;
	for (unsigned ring = 0; ring < RTE_DIM(dev->enabled); ring++)
		atomic_store(&dev->enabled[ring], 0);
	atomic_store(&dev->send_queues, 0);
	return rte_vhost_extern_callback_register(vid, &vhost_hooks, NULL);
}

static void
vhost_destroy_connection(int vid)
{
	struct vhost_dev *dev = registry_find(vid);

	vhost_end_message();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return;
	if (dev->running)
		vhost_go_down(dev);
	vhost_mapping_forget(dev);
	vhost_interrupt_forget(dev);
	atomic_store(&dev->connection, VHOST_NOBODY);
}

static int
vhost_new_device(int vid)
{
	struct vhost_dev *dev = registry_find(vid);

	vhost_end_message();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return -1;
	vhost_go_live(dev, vid);
	return 0;
}

/* May be part of a message. */
static void
vhost_destroy_device(int vid)
{
	struct vhost_dev *dev = registry_find(vid);

	if (dev != NULL && dev->running && atomic_load(&dev->connection) == vid)
		vhost_go_down(dev);
}

/* May be part of a message. Runs with the ring's lock held by the library: nothing here may wait. */
static int
vhost_ring_state(int vid, uint16_t ring, int enable)
{
	struct vhost_dev *dev = registry_find(vid);

	if (dev == NULL || ring >= 2 * dev->queues || atomic_load(&dev->connection) != vid)
		return 0;
	atomic_store(&dev->enabled[ring], (unsigned char)(enable != 0));
	vhost_count_queues(dev);
	dev->services->wake(dev->services->arg);
	return 0;
}

static const struct rte_vhost_device_ops vhost_ops = {
	.new_device = vhost_new_device,
	.destroy_device = vhost_destroy_device,
	.vring_state_changed = vhost_ring_state,
	.new_connection = vhost_new_connection,
	.destroy_connection = vhost_destroy_connection,
};

static int
vhost_register(struct vhost_dev *dev, struct err *err)
{
	const char *path = dev->config.socket;
	bool server = dev->config.mode == VHOST_SERVER;

	vhost_thread_keep();
	int rc = server ? rte_vhost_driver_register(path, 0) : vhost_reconnect_register(path);
	if (rc < 0)
		return err_set(err, EIO, "socket: the vhost library does not take %s", path);
	if (rte_vhost_driver_disable_features(path, vhost_features_off(&dev->config)) < 0 ||
		rte_vhost_driver_callback_register(path, &vhost_ops) < 0)
		goto fail;
	/* Nobody may connect before owner and mode are what was asked for. */
	mode_t mask = umask(0777);
	rc = vhost_thread_start(path);
	umask(mask);
	if (rc < 0)
		goto fail;
	if (server && vhost_socket_protect(&dev->config, err) < 0) {
		rte_vhost_driver_unregister(path);
		return err->code;
	}
	if (server)
		vhost_thread_wake();
	else
		vhost_reconnect_watch(path);
	return 0;
fail:
	rte_vhost_driver_unregister(path);
	return err_set(err, EIO, "socket: cannot %s %s", server ? "listen at" : "connect to", path);
}

int
vhost_connection_open(struct vhost_dev *dev, struct err *err)
{
	int rc = lost_install();

	if (rc < 0)
		return err_set(err, -rc, "no handler for guest memory that goes away");
	rc = registry_add(dev, err);
	if (rc < 0)
		return rc;
	if (dev->config.mode == VHOST_SERVER)
		rc = vhost_socket_claim(dev->config.socket, err);
	if (rc == 0)
		rc = vhost_register(dev, err);
	if (rc < 0)
		registry_remove(dev);
	return rc;
}

void
vhost_connection_close(struct vhost_dev *dev)
{
	vhost_reconnect_forget(dev->config.socket);
	rte_vhost_driver_unregister(dev->config.socket);
	registry_remove(dev);
	vhost_mapping_forget(dev);
}
