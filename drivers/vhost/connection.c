/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of front ends, and hooks of their messages. All but open and close run on the
 * library's event thread.
 *
 * The library identifies devices by a small number, the vid, which it reuses at once. So each
 * callback finds our device by the path of the vid's socket, and no vid outlives its connection.
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
#include "vhost/message.h"
#include "vhost/vhost.h"
#include "vring/sigbus.h"

LOG_MODULE(vhost);

/*
 * Guarded by registry_lock, which is never held across a call into the library that takes locks of
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

/** Count guest rx rings enabled from the first on: a guest enables queue pairs in order. */
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
	vhost_session_start(dev, vid);
	atomic_fetch_add(&dev->generation, 1);
	dev->services->link_changed(dev->services->arg);
}

static void
vhost_go_down(struct vhost_dev *dev)
{
	dev->running = false;
	vhost_session_stop(dev);
	memset(dev->table.used, 0, sizeof(dev->table.used));
	dev->services->link_changed(dev->services->arg);
}

/** Whether a message changes what a session consists of. GET_VRING_BASE calls destroy_device. */
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

/** Whether a memory table differs from the one that the library has. */
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
 * Invalidate requests that the library must not carry out. They are not refused here, so that the
 * library refuses them and closes the descriptors that came along.
 */
static void
vhost_invalidate_message(struct vhost_dev *dev, struct vhost_message *message)
{
	/* The library adds the offset twice, and would write the log past its mapping. */
	if (message->request == MESSAGE_SET_LOG_BASE && message->log.offset != 0)
		message->size = 0;
	if (message->request == MESSAGE_SET_FEATURES &&
		vhost_features_unserved(dev, message->number)) {
		message->number = UINT64_MAX;
		vhost_break(dev, VIRTQ_CONTROL, VHOST_NO_RING);
	}
	/* Not offered. No region has this size and offset. */
	if (message->request == MESSAGE_ADD_MEM_REG || message->request == MESSAGE_REM_MEM_REG)
		message->memory.region[0] = (struct vhost_message_region){
			.size = 1, .front = UINT64_MAX, .offset = UINT64_MAX};
}

/*
 * The library does not report that a message failed. So the next callback that cannot be part of a
 * message ends it and leaves the SIGBUS guard. The result of the guard is ignored: bursts detect
 * lost memory themselves.
 */
static void
vhost_end_message(void)
{
	sigbus_leave();
}

/** @return true if the library may get the table; else it is invalidated, the last stays */
static bool
vhost_table_may_pass(struct vhost_dev *dev, struct vhost_message *message)
{
	struct err err = {0};

	if (vhost_table_try(dev, message, &err) == 0)
		return true;
	if (!dev->refusal_told)
		log_warning(
			"%s: another memory table was refused: %s", dev->config.socket, err.text);
	dev->refusal_told = true;
	message->memory.n = UINT32_MAX;
	return false;
}

static void
vhost_table_message(struct vhost_dev *dev, int vid, struct vhost_message *message)
{
	bool same = dev->mapped && !vhost_memory_changes(vid, &message->memory);

	if (dev->session != NULL) { /* the library's bursts */
		if (same || (dev->mapped && !vhost_table_may_pass(dev, message)))
			return;
		/* Lcores in a burst wait for the locks, then use rings in the new table. */
		atomic_store(&dev->live, NULL);
	}
	vhost_table_begin(dev, vid, message);
	if (!same)
		vhost_mapping_forget(dev);
	/* False until it has succeeded: the library may have no table, and would not report it. */
	dev->mapped = same;
	if (++dev->tables == 0)
		dev->tables = 1;
	atomic_store(&dev->table_open, dev->tables);
}

/** Resume after the addresses of the library's rings were set again. */
static void
vhost_library_resume(struct vhost_dev *dev, int vid)
{
	bool other = atomic_load(&dev->live) == NULL; /* a new table, not the same again */
	int fault = atomic_load(&dev->fault), missing = vhost_table_misses(dev, vid);

	if (missing != VHOST_NO_RING) {
		vhost_break(dev, VIRTQ_BAD_RING, missing);
	} else if (fault == VIRTQ_BAD_RING ||
		   (other && (fault == VIRTQ_BAD_MEMORY || fault == VIRTQ_MEMORY_MISSING))) {
		atomic_store(&dev->fault, VIRTQ_GOOD);
		dev->services->link_changed(dev->services->arg);
	}
	atomic_store_explicit(&dev->live, dev->session, memory_order_release);
}

/** Note what a message shows about the front end. */
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

/** Answer requests to which the library would offer too much. @return true if answered */
static bool
vhost_answer_message(const struct vhost_dev *dev, struct vhost_message *message)
{
	uint64_t number;

	if (message->request == MESSAGE_GET_QUEUE_NUM) {
		/* The library's answer is 128 queue pairs, most of which are not polled. */
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
	vhost_table_done(dev);
	if (dev->session != NULL && !dev->session->direct && atomic_load(&dev->table_open) != 0)
		vhost_break_memory(dev, "the vhost library failed with it");
	vhost_note_message(dev, message);
	if (vhost_answer_message(dev, message))
		return RTE_VHOST_MSG_RESULT_REPLY;
	/* Direct only: quiesce() would wait for lcores that wait for locks held by the library. */
	if (vhost_message_changes(message->request) && dev->session != NULL && dev->session->direct)
		vhost_session_stop(dev);
	vhost_invalidate_message(dev, message);
	if (message->request == MESSAGE_SET_MEM_TABLE)
		vhost_table_message(dev, vid, message);
	if (message->request == MESSAGE_RESET_OWNER) {
		vhost_mapping_forget(dev);
		dev->mapped = false;
	}
	vhost_base_message(dev, message);
	/* The library accesses the rings, too. */
	sigbus_enter();
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* Not called if the message failed: then frames stay stopped until the next message. */
static enum rte_vhost_msg_result
vhost_after_message(int vid, void *arg)
{
	const struct vhost_message *message = arg;
	struct vhost_dev *dev = registry_find(vid);
	bool lost = sigbus_leave();

	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	vhost_table_done(dev);
	if (message->request == MESSAGE_SET_MEM_TABLE) {
		dev->mapped = true;
		atomic_store(&dev->table_open, 0);
		vhost_table_prove(dev, vid);
	}
	if (message->request == MESSAGE_SET_VRING_CALL)
		vhost_interrupt_message(dev, vid, message->number);
	if (lost)
		vhost_break(dev, VIRTQ_MEMORY_MISSING, VHOST_NO_RING);
	else if (dev->running && dev->session == NULL && vhost_message_changes(message->request))
		vhost_session_start(dev, vid);
	else if (dev->session != NULL && (message->request == MESSAGE_SET_MEM_TABLE ||
						 message->request == MESSAGE_SET_VRING_ADDR))
		vhost_library_resume(dev, vid);
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
	dev->mapped = dev->refusal_told = false;
	memset(&dev->table, 0, sizeof(dev->table));
	atomic_store(&dev->table_open, 0);
	dev->asked = false;
	dev->owner_first = false;
	dev->protocol = 0;
	vhost_base_forget(dev);
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
	vhost_table_done(dev);
	vhost_mapping_forget(dev);
	vhost_interrupt_forget(dev);
	atomic_store(&dev->table_open, 0);
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

/* May be part of a message. Must not wait: the library holds the ring's lock. */
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

/**
 * Do not offer CONFIGURE_MEM_SLOTS: memory is accepted as a whole table only. From DPDK 26.07 on
 * the library offers the feature, which front ends prefer, and which rules out postcopy.
 */
static int
vhost_disable_mem_slots(const char *path)
{
	uint64_t features;

	if (rte_vhost_driver_get_protocol_features(path, &features) < 0)
		return -1;
	features &= ~VHOST_FEATURE(PROTOCOL_CONFIGURE_MEM_SLOTS);
	return rte_vhost_driver_set_protocol_features(path, features);
}

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
		vhost_disable_mem_slots(path) < 0 ||
		rte_vhost_driver_callback_register(path, &vhost_ops) < 0)
		goto fail;
	/* No front end may connect before the socket has the configured owner and mode. */
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
		vhost_fdset_kick();
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
	vhost_table_done(dev);
	vhost_mapping_forget(dev);
}
